#!/bin/sh
# pictures.sh BUILD OUT: the pictures of the README, made by the project itself: the demonstration's
# window on a virtual display, the report page as a browser draws it, and what seats draw.
set -eu
build=$1
out=$2
work=$(mktemp -d)
chmod 700 "$work"
mkdir -p "$out"

# What a seat shows of itself, over a picture that is nobody's.
"$build/tests/unit/seat/test-seat-overlay" "$work" 1280 720
for scene in menu list lock frozen identify notices; do
	cp "$work/seat-$scene.png" "$out/"
done

display=:93
Xvfb $display -screen 0 1360x580x24 -nolisten tcp >"$work/xvfb.log" 2>&1 &
xvfb=$!
trap 'kill $xvfb 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

# The display has the window's own size. In the first leg study is off; the picture is of the second.
XDG_RUNTIME_DIR=$work DISPLAY=$display GDK_BACKEND=x11 \
	"$build/ui/irori" demo --window --ab --seconds 60 --reboots 10 --report "$work/report" \
	>"$work/demo.log" 2>&1 &
demo=$!
sleep "${PICTURE_AFTER:-100}"
import -display $display -window root "$out/window.png"
wait $demo || true
page=$(ls "$work"/report/*.html)
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
	--disable-background-networking --disable-component-update --disable-sync \
	--user-data-dir="$work/chromium" --hide-scrollbars --window-size=1100,"${PAGE_HEIGHT:-1900}" \
	--screenshot="$out/report.png" "file://$page" >"$work/chromium.log" 2>&1
ls -l "$out"
