with open('drydock.yaml', 'w') as file:
    for depth in range(1_000):
        file.write(' ' * depth + 'a:\n')
