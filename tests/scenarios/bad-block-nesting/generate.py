with open('drydock.yaml', 'w') as file:
    for depth in range(10_000):
        file.write(' ' * depth + 'a:\n')
