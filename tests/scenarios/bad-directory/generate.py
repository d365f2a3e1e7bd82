import os
os.mkdir('drydock.yaml')
