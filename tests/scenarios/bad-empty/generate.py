open('drydock.yaml', 'w').close()
