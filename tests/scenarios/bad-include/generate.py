import os
os.mkdir('deep')
os.mkfifo('pipe.yaml')
os.symlink('drydock.yaml', 'link.yaml')


def write(name, text):
    with open(name, 'w') as file:
        file.write(text)


def stages(*lines):
    return 'drydock: 1\nstages:\n' + ''.join(f'  - {line}\n' for line in lines)


write('empty.yaml', '')
write('broken.yaml', stages('{id: a'))
write('list.yaml', '- 1\n')
write('older.yaml', 'drydock: 0\nnew: x\n')
write('no-stages.yaml', 'drydock: 1\n')
write('nothing.yaml', 'drydock: 1\nstages: []\n')
write('with-vars.yaml', 'drydock: 1\nvars: {x: 1}\nstages: [{uses: exec}]\n')
write('same-id.yaml', stages('{id: own, uses: exec}'))
write('bad-option.yaml', stages('uses: exec\n    with: {comand: x}'))
write('bad-name.yaml', stages('exec: [echo, "${{ stages.nope.outputs.x }}"]'))
write('round.yaml', stages('include: deep/one.yaml'))
write('deep/one.yaml', stages('include: ../round.yaml'))
for depth in range(1, 10):
    write(f'deep/{depth}.yaml', stages(f'include: {depth + 1}.yaml'))
write('many.yaml', stages(*['include: leaf.yaml'] * 64))
write('leaf.yaml', stages('exec: [/bin/true]'))
