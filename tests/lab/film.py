"""The film that guests of the lab play (guest/film.h), pixel by pixel: whether a picture is the one of its number."""
WIDTH, HEIGHT = 320, 240
ONE = 1 << 12
TURN = 64
ROUNDS = 24
POINTS = [(x, y) for y in range(20, HEIGHT, 40) for x in range(16, WIDTH, 48)]


def wave(at):
    step = at % TURN * 2 * 256 // TURN
    return step if step < 256 else 511 - step


def quotient(a, b):
    """As C divides: towards zero."""
    return a // b if a >= 0 else -(-a // b)


def grain(seed, depth):
    for _ in range(depth):
        seed ^= seed >> 15
        seed = (seed * 739982445 + 1) & 0xffffffff
    return seed


def pixel(number, px, py, depth):
    """(red, green, blue)."""
    cx, cy = -3300 + wave(number), 640 + wave(number + TURN // 3)
    x, y = (px - WIDTH // 2) * 36, (py - HEIGHT // 2) * 36
    rounds = 0
    while rounds < ROUNDS:
        xx, yy = x * x // ONE, y * y // ONE
        if xx + yy > 4 * ONE:
            break
        x, y = xx - yy + cx, quotient(x * y, ONE // 2) + cy
        rounds += 1
    return ((rounds * 7 + number * 3) & 255, rounds * 9 & 255,
            255 - rounds * 6 - (grain((number << 20 | py << 10 | px) & 0xffffffff, depth) >> 27))


def differs(picture, left, top, number, depth):
    """How many of POINTS are not those of picture `number`, whose corner is at left, top."""
    return sum(not picture.is_near(left + x, top + y, pixel(number, x, y, depth), 2) for x, y in POINTS)
