"""Files as they get damaged, for tests that no reader does anything but read or refuse them."""


def damage(content, characters, rng):
    """A file with a few bytes changed, put in, doubled, widened, cut or whole lines repeated; or cut short.

    Args:
        content: Text or bytes.
        characters: Bytes that mean something in such files.
        rng: Decides.
    """
    content = bytearray(content.encode() if isinstance(content, str) else content)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(len(content) + 1))
        kind = rng.integers(6)
        one = bytes([characters[rng.integers(len(characters))]])
        if kind == 0:
            content[place : place + 1] = bytes([int(rng.integers(256))])
        elif kind == 1:
            content[place : place + 1] = one
        elif kind == 2:
            del content[place : place + int(rng.integers(1, 60))]
        elif kind == 3:
            content[place:place] = content[max(0, place - int(rng.integers(1, 100))) : place]
        elif kind == 4:
            content[place:place] = one * int(rng.integers(1, 600))
        else:
            lines = bytes(content).split(b"\n")
            lines.insert(int(rng.integers(len(lines))), lines[int(rng.integers(len(lines)))])
            content = bytearray(b"\n".join(lines))
    if rng.integers(20) == 0:
        del content[int(rng.integers(len(content) + 1)) :]
    return bytes(content)
