with open('drydock.yaml', 'w') as file:
    file.write('drydock: 1\nname: ' + '[' * 100_000 + ']' * 100_000 + '\n')
