import os
open('drydock.yaml', 'w').close()
os.chmod('drydock.yaml', 0)
