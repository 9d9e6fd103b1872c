/**
 * A square to draw a digit in, 28x28 pixels, with a pen as wide as that of the strokes. It can be drawn in with the
 * keyboard too: arrows move the pen, and the space bar sets it down or lifts it.
 */
const SIDE = 28;
const SCALE = 8;
const PEN = 1.25;

/** @param drawn hears of the pixels after each stroke, 0 to 255; of null when the square is cleared */
export function drawingPad(drawn: (pixels: Uint8Array | null) => void): HTMLElement {
  const pixels = new Uint8Array(SIDE * SIDE);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [SIDE * SCALE, SIDE * SCALE];
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  canvas.setAttribute(
    'aria-label',
    'a square to draw in: arrows move the pen, the space bar sets it down or lifts it',
  );
  const context = canvas.getContext('2d')!;
  let [x, y, down] = [SIDE / 2, SIDE / 2, false];

  const paint = () => {
    for (let i = 0; i < pixels.length; i++) {
      context.fillStyle = `rgb(${pixels[i]} ${pixels[i]} ${pixels[i]})`;
      context.fillRect((i % SIDE) * SCALE, Math.floor(i / SIDE) * SCALE, SCALE, SCALE);
    }
    if (document.activeElement === canvas) {
      context.strokeStyle = down ? '#d55e00' : '#56b4e9';
      context.lineWidth = 2;
      context.strokeRect(x * SCALE - 6, y * SCALE - 6, 12, 12);
    }
  };
  /** The pen from one point to another: each pixel takes the largest share that the pen covers. */
  const stroke = (toX: number, toY: number) => {
    const steps = Math.max(1, Math.ceil(4 * Math.hypot(toX - x, toY - y)));
    for (let s = 0; s <= steps; s++) {
      const [cx, cy] = [x + ((toX - x) * s) / steps, y + ((toY - y) * s) / steps];
      for (let py = Math.max(0, Math.floor(cy - 3)); py < Math.min(SIDE, cy + 3); py++) {
        for (let px = Math.max(0, Math.floor(cx - 3)); px < Math.min(SIDE, cx + 3); px++) {
          const share = PEN + 0.5 - Math.hypot(px + 0.5 - cx, py + 0.5 - cy);
          const i = py * SIDE + px;
          pixels[i] = Math.max(pixels[i], Math.round(255 * Math.max(0, Math.min(1, share))));
        }
      }
    }
    [x, y] = [toX, toY];
  };
  const placeOf = ({ clientX, clientY }: PointerEvent): [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((clientX - left) / width) * SIDE, ((clientY - top) / height) * SIDE];
  };
  const lift = () => {
    if (!down) return;
    down = false;
    drawn(pixels.slice());
    paint();
  };

  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    [x, y] = placeOf(event);
    down = true;
    stroke(x, y);
    paint();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!down || event.buttons === 0) return;
    stroke(...placeOf(event));
    paint();
  });
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener('focus', paint);
  canvas.addEventListener('blur', paint);
  canvas.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === ' ') {
      if (down) lift();
      else {
        down = true;
        stroke(x, y);
      }
    } else if (move) {
      const next = [x + move[0], y + move[1]].map((at) => Math.max(0, Math.min(SIDE, at))) as [
        number,
        number,
      ];
      if (down) stroke(...next);
      else [x, y] = next;
    } else return;
    event.preventDefault();
    paint();
  });

  const clear = document.createElement('button');
  clear.textContent = 'Clear';
  clear.addEventListener('click', () => {
    pixels.fill(0);
    down = false;
    paint();
    drawn(null);
  });
  paint();
  const place = document.createElement('div');
  place.className = 'drawing';
  place.append(canvas, clear);
  return place;
}
