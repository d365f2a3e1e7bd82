drydock_test(testing_test SOURCES testing_test.cc)
