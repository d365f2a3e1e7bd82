# What is promised of the boundary, and the documents that are made from code.
foreach(language c c++)
  add_test(NAME sdk.headers.${language} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/headers.sh ${language})
endforeach()
add_test(NAME sdk.layout
  COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/layout.py gcc g++ clang clang++)
set_tests_properties(sdk.layout PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME docs.stage-reference COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/reference.py)
add_test(NAME docs.stages
  COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/stages_doc.py --bin $<TARGET_FILE:drydock>)
