with open('drydock.yaml', 'w') as file:
    file.write('a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n')
    for i in range(1, 10):
        aliases = ', '.join([f'*a{i - 1}'] * 10)
        file.write(f'a{i}: &a{i} [{aliases}]\n')
