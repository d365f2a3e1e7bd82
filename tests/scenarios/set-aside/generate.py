import os

os.mkdir("conf")
with open("conf/app.conf", "w") as conf:
    conf.write("colour = blue\n")
os.chmod("conf/app.conf", 0o600)
