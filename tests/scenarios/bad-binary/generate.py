with open('drydock.yaml', 'wb') as file:
    file.write(bytes(range(256)) * 16)
