#!/usr/bin/env python3
"""Every frame of a clip, decoded by ffmpeg, carries its own number: clip-test.py CLIP FRAMES."""
import subprocess
import sys

CELLS, CELL = 24, 16  # display/barcode.h


def main():
    clip, frames = sys.argv[1], int(sys.argv[2])
    strip = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", clip, "-an", "-vf",
         f"crop={CELLS * CELL}:{CELL}:0:ih-{CELL},format=gray", "-f", "rawvideo", "-"],
        stdout=subprocess.PIPE, check=True).stdout
    size = CELLS * CELL * CELL
    if len(strip) != frames * size:
        sys.exit(f"{len(strip) / size} frames, expected {frames}")
    worst = 255
    for n in range(frames):
        middle = strip[n * size + CELL // 2 * CELLS * CELL:][:CELLS * CELL][CELL // 2::CELL]
        row = 0
        for cell in middle:
            row = row << 1 | (cell > 128)
            worst = min(worst, abs(cell - 128))
        check = (n ^ n >> 4 ^ n >> 8 ^ n >> 12 ^ 0x9) & 0xf
        if row != 0xa << 20 | n << 4 | check:
            sys.exit(f"frame {n}: the bar code says {row:06x}")
    print(f"ok: {frames} frames; the least certain cell is {worst} from the middle of 255")


if __name__ == "__main__":
    main()
