with open('drydock.yaml', 'w') as file:
    for _ in range(1_000):
        file.write('# ' + 'x' * 100_000 + '\n')
