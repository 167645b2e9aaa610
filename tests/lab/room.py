"""Monitors in a room: screendumps put into one picture, with bezels, desks and captions, by ImageMagick."""
import os
import subprocess

import image

SCREEN = (560, 315)
BEZEL = 10
COLUMN, ROW = 600, 405     # from one monitor to the next
LEFT, TOP = 30, 24
DESK = 40                  # a desk's height, with the captions on it
QUALITY = 86
WALL, DESK_TOP, DESK_FRONT = "xc:#e9e1d6", "#8a6a4c", "#74573d"


def corner(number):
    """Of a monitor's bezel."""
    return LEFT + number % 2 * COLUMN, TOP + number // 2 * ROW


def desk(number):
    x, y = corner(number)
    front = y + SCREEN[1] + 2 * BEZEL + 16
    return ["-fill", DESK_FRONT, "-draw", "rectangle %d,%d %d,%d" % (
                x - LEFT, front, x + COLUMN + LEFT, front + DESK),
            "-fill", DESK_TOP, "-draw", "rectangle %d,%d %d,%d" % (
                x - LEFT, front - 4, x + COLUMN + LEFT, front)]


def monitor(number, path, caption):
    x, y = corner(number)
    width, height = SCREEN[0] + 2 * BEZEL, SCREEN[1] + 2 * BEZEL
    middle, foot = x + width // 2, y + height + 16
    return ["-fill", "#3a3634", "-draw", "rectangle %d,%d %d,%d" % (middle - 26, y + height, middle + 26, foot),
            "-draw", "roundrectangle %d,%d %d,%d 4,4" % (middle - 90, foot - 6, middle + 90, foot + 2),
            "-fill", "#1d1b1a", "-draw", "roundrectangle %d,%d %d,%d 9,9" % (x, y, x + width, y + height),
            "(", path, "-filter", "Lanczos", "-resize", "%dx%d!" % SCREEN, ")",
            "-geometry", "+%d+%d" % (x + BEZEL, y + BEZEL), "-composite",
            "-gravity", "North", "-fill", "#fff6ea", "-font", "DejaVu-Sans", "-pointsize", "19",
            "-annotate", "%+d%+d" % (middle - width_of(2) // 2, foot + 9), caption, "-gravity", "NorthWest"]


def width_of(columns):
    return columns * COLUMN + 2 * LEFT - (COLUMN - SCREEN[0] - 2 * BEZEL)


def picture(path, screens):
    """`screens`: (PNG of a monitor, what stands below it), four of them; `path`: the picture to write (JPEG: these have
    soft shades)."""
    image.need("convert")
    rows = (len(screens) + 1) // 2
    command = ["convert", "-size", "%dx%d" % (width_of(2), TOP + rows * ROW), WALL]
    for number in range(0, len(screens), 2):
        command += desk(number) + desk(number + 1)
    for number, (screen, caption) in enumerate(screens):
        command += monitor(number, screen, caption)
    command += ["-strip", "-sampling-factor", "1x1", "-interlace", "JPEG", "-quality", str(QUALITY), "JPEG:" + path]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return os.path.getsize(path)
