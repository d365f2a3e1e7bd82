with open('drydock.yaml', 'wb') as file:
    file.write(b'drydock: 1\nname: caf\xe9\nstages: []\n')
