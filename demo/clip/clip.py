#!/usr/bin/env python3
"""Makes the demonstration's clip: moving pictures from ffmpeg's own test sources, the frame number
burnt in as a bar code (display/barcode.h), soft chords with a tick at each second; Theora and
Vorbis in Ogg, padded to whole disk sectors.  No download, and the same bytes from the same tools.

The picture is a slow flight into the Mandelbrot set in the colours of a fire.  It loops: the last
second is faded into what came before the first frame, everything drawn on top has a period that
divides the clip's length, and the sound dies away before the seam.
"""
import argparse
import os
import subprocess
import sys

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
FONT_BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
SECTOR = 512
CELLS, CELL, GUARD, CHECK = 24, 16, 0xA, 0x9  # as display/barcode.h


def background(a, seconds):
    """The flight, one second longer than the clip, so that its ends can be laid over each other."""
    frames = (seconds + 1) * a.fps
    return (f"mandelbrot=size={a.width}x{a.height}:rate={a.fps}:maxiter=320:inner=black"
            f":start_x=-0.743643887:start_y=-0.131825904:start_scale=0.11:end_scale=0.0014"
            f":end_pts={frames},trim=end_frame={frames},format=gray,"
            f"gblur=sigma=1.3,eq=contrast=1.0:brightness=-0.08,format=yuv444p,"
            f"pseudocolor=preset=inferno,format=yuv420p,setsar=1")


def bar_code():
    """One drawbox for each cell; the white ones come and go with the frame's number, n."""
    def bit(k):
        return f"mod(floor(n/{1 << k})\\,2)"

    def check(i):
        nibbles = "+".join(f"floor(n/{1 << (i + s)})" for s in (0, 4, 8, 12))
        return f"mod({nibbles}+{CHECK >> i & 1}\\,2)"

    cells = [str(GUARD >> i & 1) for i in (3, 2, 1, 0)]
    cells += [bit(k) for k in range(15, -1, -1)] + [check(i) for i in (3, 2, 1, 0)]
    out = [f"drawbox=x=0:y=ih-{CELL}:w={CELLS * CELL}:h={CELL}:color=black:t=fill"]
    for i, on in enumerate(cells):
        if on != "0":
            out.append(f"drawbox=x={i * CELL}:y=ih-{CELL}:w={CELL}:h={CELL}:color=white:t=fill"
                       f":enable='{on}'")
    return ",".join(out)


def text(a, font, string, size, x, y, colour="0xffe2c0", more=""):
    return (f"drawtext=fontfile={font}:text='{string}':fontsize={size * a.height / 720:.0f}:"
            f"x={x}:y={y}:fontcolor={colour}:shadowcolor=black@0.6:shadowx=2:shadowy=2{more}")


def titles(a, seconds):
    turn = 10 if seconds % 10 == 0 else seconds
    step = 8 * a.width // 1280 * 30 // a.fps
    travel = step * turn * a.fps
    news = ("one machine, a seat for everyone around the hearth      ·      "
            "next door a guest reboots; not a frame is lost here")
    return ",".join([
        f"drawbox=x=0:y=ih*0.865:w=iw:h=ih*0.07:color=0x140806@0.62:t=fill",
        text(a, FONT_BOLD, "irori", 64, "w*0.05", "h*0.085"),
        text(a, FONT, "theater", 26, "w*0.053", "h*0.195", "0xff9a4a"),
        text(a, FONT, news, 24, f"w-mod(n*{step}\\,{travel})", "h*0.9-th/2"),
        text(a, FONT, "%{eif\\:floor(n/" + str(a.fps) + ")\\:d\\:2}.%{eif\\:mod(n\\," + str(a.fps)
             + ")\\:d\\:2}", 24, "w*0.888-tw/2", "h*0.36"),
    ])


def dial(a):
    """A clock face and its hand: each computed once, then the hand is turned."""
    size = int(a.height * 0.25) // 2 * 2
    r, c = size * 0.48, size / 2
    dist = f"hypot(X-{c}\\,Y-{c})"
    angle = f"mod(atan2(Y-{c}\\,X-{c})+2*PI+PI/20\\,PI/10)"
    ring = f"clip({size * 0.012 + 1}-abs({dist}-{r})\\,0\\,1)"
    tick = (f"between({dist}\\,{r * 0.84:.1f}\\,{r * 0.94:.1f})*"
            f"clip({size * 0.008 + 1}-abs({angle}-PI/20)*{dist}\\,0\\,1)")
    hand = (f"between(Y\\,{c - r * 0.8:.1f}\\,{c + r * 0.16:.1f})*"
            f"clip({size * 0.014 + 0.5}-abs(X-{c})\\,0\\,1)")
    hub = f"clip({size * 0.05}-{dist}\\,0\\,1)"

    def still(red, green, blue, alpha, label, then):
        return (f"color=black:size={size}x{size}:rate={a.fps},format=rgba,trim=end_frame=1,"
                f"geq=r={red}:g={green}:b={blue}:a='{alpha}',loop=-1:1:0,"
                f"setpts=N/{a.fps}/TB{then}[{label}]")

    face = (f"255*max(max({ring}\\,{tick})\\,0.42*lt({dist}\\,{r}))")
    lit = f"if(gt(max({ring}\\,{tick})\\,0.3)\\,%d\\,%d)"
    return ";".join([
        still(f"'{lit % (255, 20)}'", f"'{lit % (190, 8)}'", f"'{lit % (130, 6)}'", face, "face", ""),
        still("255", "122", "40", f"255*max({hand}\\,{hub})", "hand",
              f",rotate='2*PI*n/({a.turn}*{a.fps})':c=none:ow=iw:oh=ih"),
    ])


def graph(a, seconds):
    a.turn = 20 if seconds % 20 == 0 else seconds
    where = "x=main_w*0.888-overlay_w/2:y=main_h*0.21-overlay_h/2"
    return ";".join([
        background(a, seconds) + ",trim=start_frame=" + str(a.fps) + ",setpts=PTS-STARTPTS[late]",
        background(a, seconds) + ",trim=end_frame=" + str(a.fps) + ",setpts=PTS-STARTPTS[early]",
        f"[late][early]xfade=transition=fade:duration=1:offset={seconds - 1}[flight]",
        dial(a),
        f"[flight]vignette=PI/5,{titles(a, seconds)}[titled]",
        f"[titled][face]overlay={where}:eval=init:shortest=1[faced]",
        f"[faced][hand]overlay={where}:eval=init:shortest=1,format=yuv420p,{bar_code()}[picture]",
    ])


CHORDS = [  # hertz: bass, then the notes that are plucked over it
    (110.00, 220.00, 261.63, 329.63, 392.00),  # Am7
    (87.31, 174.61, 220.00, 261.63, 329.63),   # Fmaj7
    (130.81, 196.00, 261.63, 329.63, 493.88),  # Cmaj7
    (98.00, 196.00, 246.94, 293.66, 440.00),   # Gadd9
]


def by_chord(values, bar):
    out = str(values[-1])
    for i in range(len(values) - 2, -1, -1):
        out = f"if(lt(t\\,{(i + 1) * bar})\\,{values[i]}\\,{out})"
    return out


def sound(seconds):
    """A pad under plucked notes, four chords to the clip, a tick on the second."""
    bar = seconds / len(CHORDS)
    swell = f"(1-exp(-3*mod(t\\,{bar})))*min(1\\,4*({bar}-mod(t\\,{bar})))"
    notes = [by_chord([c[i] for c in CHORDS], bar) for i in range(5)]
    pad = "+".join(f"sin(2*PI*t*({notes[i]}))" for i in (0, 1, 3))
    sides = []
    for side in (0, 1):
        plucks = "+".join(
            f"{0.11 if i % 2 == side else 0.06}*sin(2*PI*t*2*({notes[i]}))"
            f"*exp(-4*mod(t+{bar}-{(i - 1) * 0.25}\\,1))" for i in range(1, 5))
        tick = "0.10*sin(2*PI*2093*t)*exp(-140*mod(t\\,1))"
        fade = f"min(1\\,50*t)*min(1\\,10*max(0\\,{seconds}-t))"
        sides.append(f"{fade}*(0.055*{swell}*({pad})+{plucks}+{tick})")
    return f"aevalsrc=exprs='{sides[0]}|{sides[1]}':s=48000:d={seconds}"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("output")
    p.add_argument("--width", type=int, default=1280)
    p.add_argument("--height", type=int, default=720)
    p.add_argument("--fps", type=int, default=60)
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--quality", type=int, default=6, help="Theora's, 0 to 10")
    a = p.parse_args()
    if a.width < CELLS * CELL or a.width % 16 or a.height % 16:
        p.error(f"width and height must be multiples of 16, width at least {CELLS * CELL}")

    partial = a.output + ".part"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-filter_complex_threads", "2",
               "-filter_complex", graph(a, a.seconds), "-f", "lavfi", "-i", sound(a.seconds),
               "-map", "[picture]", "-map", "0:a", "-frames:v", str(a.seconds * a.fps),
               "-t", str(a.seconds), "-map_metadata", "-1", "-fflags", "+bitexact",
               "-c:v", "libtheora", "-q:v", str(a.quality), "-g", str(a.fps), "-flags:v", "+bitexact",
               "-c:a", "libvorbis", "-q:a", "5", "-flags:a", "+bitexact", "-f", "ogg", partial]
    done = subprocess.run(command)
    if done.returncode:
        sys.exit(f"clip: ffmpeg failed with status {done.returncode}")
    with open(partial, "ab") as f:  # the end of Ogg is in the stream: zeros after it are harmless
        f.write(bytes(-f.tell() % SECTOR))
    os.replace(partial, a.output)


if __name__ == "__main__":
    main()
