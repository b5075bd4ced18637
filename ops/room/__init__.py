"""A room: what an image brings runs in it alone, as Linux' own containers do it, and then the room is gone.

    outside.py   whether this machine can have one, and how it is asked for
    inside.py    the program that makes it: it sees this machine until the moment before it opens the image
    unpack.py    the layers of an image, laid into it
    linux.py     what Python has no words for

What runs there is somebody else's code. It has no network, none of this machine's files, processes, variables or users, no
device but null and its like, no disk (the room is memory), the capabilities of the pod that it is tried for, and so many
seconds. What remains is the kernel, which it shares with whoever calls.
"""
