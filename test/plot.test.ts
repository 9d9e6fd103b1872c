/**
 * Plots: the SVG is well formed and complete, its marks are at the positions that the axes give, and it has no NaN.
 */
import { DOMParser } from 'linkedom';
import * as assert from 'uvu/assert';
import { ShapeError, ValueError } from '../src/errors.ts';
import { histogram } from '../src/image/histogram.ts';
import { type Layer, PALETTE, type PlotOptions, plot, seriesStyle } from '../src/image/plot.ts';
import { suite } from './suite.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const axes = { x: { label: 'time t' }, y: { label: 'loss' } };
const draw = (layers: readonly Layer[], more: Partial<PlotOptions> = {}) =>
  plot({ title: 'A plot', ...axes, layers, ...more });

function throws(body: () => unknown, kind: new (message: string) => Error, message: RegExp): void {
  assert.throws(body, (error: Error) => error instanceof kind && message.test(error.message));
}

/** Asserts that tags are nested correctly and text is escaped. Returns the names of the elements. */
function wellFormed(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  let end = 0;
  for (const tag of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const text = svg.slice(end, tag.index);
    assert.not.match(text, /[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/);
    assert.not.match(tag[3]!, /&(?!(?:amp|lt|gt|quot|apos|#\d+);)/);
    const attributes = [...tag[3]!.matchAll(/\s([\w:-]+)=/g)].map((m) => m[1]);
    assert.is(new Set(attributes).size, attributes.length, 'no attribute twice');
    end = tag.index + tag[0].length;
    if (tag[1] === '/') assert.is(open.pop(), tag[2]);
    else {
      names.push(tag[2]!);
      if (tag[4] !== '/') open.push(tag[2]!);
    }
  }
  assert.equal(open, []);
  assert.is(svg.slice(end).trim(), '');
  return names;
}

const parse = (svg: string) => new DOMParser().parseFromString(svg, 'image/svg+xml');
const texts = (svg: string) => [...parse(svg).querySelectorAll('text')].map((t) => t.textContent);
const group = (svg: string, label: string) => {
  const found = parse(svg).querySelector(`[aria-label="${label}"]`);
  assert.ok(found, `a group "${label}"`);
  return found!;
};

/** The points of the only path in the group of a mark, one list per continuous part. */
function stretches(svg: string, label = 'line'): [number, number][][] {
  const d: string = group(svg, label).querySelector('path')!.getAttribute('d')!;
  return d
    .replace('Z', '')
    .split('M')
    .slice(1)
    .map((part) => part.split('L').map((point) => point.split(',').map(Number) as [number, number]));
}

/** A function from a number on an axis to its position in pixels, from the ticks. */
function tickPlaces(svg: string, axis: 'x' | 'y'): Map<string, number> {
  const places = new Map<string, number>();
  for (const text of group(svg, `${axis}-axis tick label`).querySelectorAll('text')) {
    const [x, y] = text
      .getAttribute('transform')!
      .match(/-?[\d.]+/g)!
      .map(Number);
    places.set(text.textContent!, axis === 'x' ? x! : y!);
  }
  return places;
}

const near = (a: number, b: number, within = 0.01) =>
  assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`);

const every: readonly Layer[] = [
  { kind: 'area', name: 'band', x: [0, 1, 2], lower: [0, 1, Number.NaN], upper: [2, 3, 4] },
  { kind: 'bars', name: 'bars', edges: [0, 1, 2], heights: [3, Number.NaN] },
  {
    kind: 'line',
    name: 'line',
    x: [0, 1, Number.NaN, 2],
    y: [1, Number.POSITIVE_INFINITY, 3, 2],
    dash: 'dashed',
  },
  { kind: 'points', name: 'points', x: [0, 1, 2], y: [1, Number.NEGATIVE_INFINITY, 2] },
  { kind: 'vectors', name: 'vectors', x: [0, 1, 2], y: [0, 1, 2], u: [1, Number.NaN, 0], v: [1, 0, 0] },
  { kind: 'rule', name: 'rule', x: 1.5 },
];

suite('plot', (test) => {
  test('every kind of layer, with gaps, gives one well-formed file without NaN', () => {
    const svg = draw(every, { title: 'a < b & "c"', subtitle: '<script>' });
    const names = wellFormed(svg);
    assert.is(names[0], 'svg');
    assert.is(names.includes('script'), false);
    assert.not.match(svg, /NaN|undefined|null|Infinity/);
    assert.equal(texts(svg).includes('a < b & "c"'), true);
    assert.is(group(svg, 'dot').querySelectorAll('circle').length, 2);
    assert.is(group(svg, 'rect').querySelectorAll('rect').length, 1);
    assert.is(group(svg, 'arrow').querySelectorAll('path').length, 2);
  });

  test('the file is complete: name space, size, font, background, title, description, and no style sheet', () => {
    const svg = draw(every, { width: 500, height: 300 });
    const root = parse(svg).documentElement!;
    const attribute = (name: string) => root.getAttribute(name);
    assert.is(attribute('xmlns'), 'http://www.w3.org/2000/svg');
    assert.equal(
      [attribute('width'), attribute('height'), attribute('viewBox')],
      ['500', '300', '0 0 500 300'],
    );
    assert.match(attribute('font-family')!, /sans-serif$/);
    assert.is(root.querySelector('title')!.textContent, 'A plot');
    assert.match(
      root.querySelector('desc')!.textContent!,
      /^loss against time t\. Shown: band \(area\), .*rule \(rule\)\.$/,
    );
    assert.is(root.querySelector('rect')!.getAttribute('fill'), '#ffffff');
    assert.is(root.querySelector('style'), null);
    assert.not.match(svg, /class=|var\(/);
  });

  test('both axes have their labels and the legend has the names, each once', () => {
    const svg = draw([...every, { kind: 'line', name: 'line', x: [0, 1], y: [0, 1] }]);
    for (const text of ['time t', 'loss', 'A plot', 'band', 'line', 'rule']) {
      assert.is(texts(svg).filter((t) => t === text).length, 1, text);
    }
    const alone = draw([{ kind: 'line', name: 'the only one', x: [0, 1], y: [0, 1] }]);
    assert.is(texts(alone).includes('the only one'), false);
    const asked = draw([{ kind: 'line', name: 'the only one', x: [0, 1], y: [0, 1] }], { legend: true });
    assert.is(texts(asked).includes('the only one'), true);
  });

  test('points are at the positions given by the ticks of both axes', () => {
    const svg = draw([{ kind: 'line', x: [0, 1, 4], y: [0, 10, 40] }]);
    const [x, y] = [tickPlaces(svg, 'x'), tickPlaces(svg, 'y')];
    const points = stretches(svg)[0]!;
    near(points[0]![0], x.get('0.0')!);
    near(points[1]![0], x.get('1.0')!);
    near(points[2]![0], x.get('4.0')!);
    near(points[0]![1], y.get('0')!);
    near(points[1]![1], y.get('10')!);
    near(points[2]![1], y.get('40')!);
  });

  test('on a log scale equal ratios have equal distances, and a number that is not positive is a gap', () => {
    const log = { x: axes.x, y: { label: 'error', scale: 'log' as const } };
    const svg = draw([{ kind: 'line', x: range(5), y: [1, 0.1, 0, 0.01, 0.001] }], log);
    const [before, after] = stretches(svg);
    const step = before![1]![1] - before![0]![1];
    near(after![1]![1] - after![0]![1], step);
    near(after![0]![1] - before![1]![1], step);
    const y = tickPlaces(svg, 'y');
    near(before![0]![1], y.get('1')!);
    near(after![1]![1], y.get('0.001')!);
    assert.equal(
      [...tickPlaces(draw([{ kind: 'line', x: [0, 1], y: [0.0121, 0.0189] }], log), 'y').keys()],
      ['0.013', '0.014', '0.015', '0.016', '0.017', '0.018'],
    );
    assert.equal(
      [...tickPlaces(draw([{ kind: 'line', x: [0, 1], y: [50.2, 80.9] }], log), 'y').keys()],
      ['55', '60', '65', '70', '75', '80'],
      'none is blank',
    );
    assert.equal(
      [...tickPlaces(draw([{ kind: 'line', x: [0, 1], y: [1e-6, 1e6] }], log), 'y').keys()],
      ['10⁻⁶', '10⁻⁴', '10⁻²', '10⁰', '10²', '10⁴', '10⁶'],
    );
  });

  test('a value that is not finite breaks the line and only there', () => {
    const y = range(10).map((i) => (i === 4 ? Number.NaN : i));
    assert.equal(
      stretches(draw([{ kind: 'line', x: range(10), y }])).map((s) => s.length),
      [4, 5],
    );
  });

  test('a band lies between its curves', () => {
    const svg = draw([{ kind: 'area', x: [0, 1], lower: [1, 2], upper: [3, 5] }]);
    const y = tickPlaces(svg, 'y');
    const unit = (y.get('5.0')! - y.get('1.0')!) / 4;
    const at = (value: number) => y.get('1.0')! + (value - 1) * unit;
    const heights = stretches(svg, 'area')[0]!.map((point) => point[1]);
    assert.is(heights.length, 4);
    for (const [i, value] of [3, 5, 2, 1].entries()) near(heights[i]!, at(value));
  });

  test('bars start at zero and go from edge to edge', () => {
    const svg = draw([{ kind: 'bars', edges: [0, 1, 3], heights: [4, 2] }]);
    const [x, y] = [tickPlaces(svg, 'x'), tickPlaces(svg, 'y')];
    const bars = [...group(svg, 'rect').querySelectorAll('rect')].map((rect) =>
      ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name))),
    );
    const left = [x.get('0.0')!, x.get('1.0')!];
    for (const [i, [barX, barY, width, height]] of bars.entries()) {
      near(barX!, left[i]!, 0.6);
      near(barX! + width!, [x.get('1.0')!, x.get('3.0')!][i]!, 0.6);
      near(barY! + height!, y.get('0.0')!);
      near(barY!, [y.get('4.0')!, y.get('2.0')!][i]!);
    }
  });

  test('with equal axes a unit is as long along x as along y', () => {
    const layers: Layer[] = [{ kind: 'points', x: [-3, 3, 0], y: [-1, 1, 0.5] }];
    const svg = draw(layers, { equal: true, width: 640 });
    const unit = (places: Map<string, number>) => {
      const [[a, at], [b, bt]] = [[...places][0]!, [...places][1]!];
      return (bt - at) / (Number(b.replace('−', '-')) - Number(a.replace('−', '-')));
    };
    near(unit(tickPlaces(svg, 'x')), -unit(tickPlaces(svg, 'y')), 0.3);
  });

  test('the same input gives the same string, whatever was drawn before', () => {
    const domain: Partial<PlotOptions> = { y: { label: 'loss', domain: [0, 1] } };
    const first = draw(every, domain);
    assert.match(first, /clip-path="url\(#a-plot-1\)"/);
    assert.match(first, /id="a-plot-1"/);
    draw(every, { title: 'Another', ...domain });
    assert.is(draw(every, domain), first);
  });

  test('thinning keeps the ends and the extremes of a long line, and its gaps, and says so', () => {
    const y = Float64Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 5000));
    y[41_234] = 9;
    y[77_001] = -9;
    y[60_000] = Number.NaN;
    const svg = draw([{ kind: 'line', x: range(y.length), y }]);
    const parts = stretches(svg);
    assert.is(parts.length, 2);
    const points = parts.flat();
    assert.ok(points.length <= 2000 && points.length > 1500, `${points.length} points`);
    const ticks = tickPlaces(svg, 'y');
    near(Math.min(...points.map((p) => p[1])), ticks.get('8')! - (ticks.get('0')! - ticks.get('8')!) / 8);
    near(Math.max(...points.map((p) => p[1])), ticks.get('−8')! + (ticks.get('−8')! - ticks.get('0')!) / 8);
    near(points[0]![0], tickPlaces(svg, 'x').get('0')!);
    assert.match(svg, /a curve shows \d+ of its 100000 points/);
    const dots = draw([{ kind: 'points', x: range(10_000), y: range(10_000) }]);
    assert.is(parse(dots).querySelectorAll('circle').length, 4000);
    assert.match(dots, /4000 of 10000 points are drawn/);
    const short = draw([{ kind: 'line', x: range(2000), y: range(2000) }]);
    assert.is(stretches(short)[0]!.length, 2000);
  });

  test('a single value, a single point and a rule alone have axes around them', () => {
    for (const layer of [
      { kind: 'line', x: [0, 1], y: [7, 7] },
      { kind: 'points', x: [3], y: [0] },
      { kind: 'rule', y: 0.5 },
    ] as const) {
      const svg = draw([layer]);
      wellFormed(svg);
      assert.not.match(svg, /NaN|undefined/);
      assert.ok(tickPlaces(svg, 'y').size >= 2, layer.kind);
    }
  });

  test('layers without a colour take the palette in turn', () => {
    const line = { kind: 'line', x: [0, 1], y: [0, 1] } as const;
    const svg = draw([line, line, { ...line, color: '#123456' }, line]);
    const strokes = [...parse(svg).querySelectorAll('[aria-label="line"]')].map((g) =>
      g.getAttribute('stroke'),
    );
    assert.equal(strokes, [PALETTE.blue, PALETTE.vermilion, '#123456', PALETTE.green]);
  });

  test('28 series look different, in the plot and in its legend', () => {
    const layers = range(28).map((i): Layer => ({ kind: 'line', name: `${i}`, x: [0, 1], y: [i, i] }));
    const svg = parse(draw(layers));
    const looks = (elements: Iterable<Element>) =>
      [...elements].map((e) => `${e.getAttribute('stroke')} ${e.getAttribute('stroke-dasharray')}`);
    const drawn = looks(svg.querySelectorAll('[aria-label="line"]'));
    assert.is(new Set(drawn).size, 28);
    assert.equal(looks(svg.querySelectorAll('line[stroke-width="2.2"]')), drawn);
    assert.equal(seriesStyle(27), { color: PALETTE.grey, dash: 'dash-dot' });
  });

  test('the numbers of a log axis do not touch or repeat, for any range', () => {
    const ratios = [1 + 1e-7, 1.001, 1.1, 1.5, 3, 6, 9.9, 40, 1e4, 1e13, 1e80];
    for (const low of [1e-40, 3.1e-7, 0.00123, 0.8, 97, 12345]) {
      for (const ratio of ratios) {
        const values = [low, low * ratio];
        const axes = { x: { label: 'x', scale: 'log' }, y: { label: 'y', scale: 'log' } } as const;
        const svg = draw([{ kind: 'line', x: values, y: values }], { ...axes, width: 360, height: 300 });
        for (const axis of ['x', 'y'] as const) {
          const ticks = [...tickPlaces(svg, axis)].sort((a, b) => a[1] - b[1]);
          const where = `${axis} from ${low} to ${low * ratio}: ${ticks.map(([text]) => text).join(' ')}`;
          const labels = group(svg, `${axis}-axis tick label`).querySelectorAll('text');
          assert.ok(ticks.length >= 2 && ticks.length === labels.length, where);
          for (const [i, [text, place]] of ticks.entries()) {
            const room = (label: string) => (axis === 'y' ? 14 : 5.5 * label.length);
            if (i === 0) continue;
            const [before, at] = ticks[i - 1];
            assert.ok(place - at >= (room(text) + room(before)) / 2, where);
          }
        }
      }
    }
  });

  test('long numbers along a linear x axis do not touch either, and are inside the picture', () => {
    for (const [low, high] of [
      [1_000_999.9985, 1_000_999.9995],
      [-123_456, 123_456],
      [0, 0.5],
    ] as const) {
      const svg = draw([{ kind: 'points', x: [low, high], y: [0, 1] }], { width: 400 });
      const ticks = [...tickPlaces(svg, 'x')].sort((a, b) => a[1] - b[1]);
      assert.ok(ticks.length >= 2, `${low}: ${ticks.length}`);
      const half = (text: string) => (5.5 * text.length) / 2;
      for (const [i, [text, place]] of ticks.entries()) {
        assert.ok(place + half(text) < 400, `${text} ends at ${place + half(text)}`);
        if (i === 0) continue;
        const [before, at] = ticks[i - 1];
        assert.ok(place - at > half(before) + half(text), `${before} and ${text}`);
      }
    }
  });

  test('a long legend makes the picture higher, and does not shorten the axes', () => {
    const layers = range(24).map(
      (i): Layer => ({ kind: 'line', name: `series number ${i}`, x: [0, 1], y: [i, i] }),
    );
    const height = (some: readonly Layer[]) =>
      Number(parse(draw(some)).documentElement.getAttribute('height'));
    assert.is(height(layers.slice(0, 3)), 440);
    assert.ok(height(layers) > 440, `${height(layers)}`);
  });

  test('long titles and legends break into rows inside the picture', () => {
    const layers = range(9).map(
      (i): Layer => ({ kind: 'line', name: `series number ${i} of nine`, x: [0, 1], y: [i, i] }),
    );
    const svg = draw(layers, { title: 'A title of many words '.repeat(6), width: 400 });
    const head = [...parse(svg).querySelectorAll('text[font-size]')];
    const rows = new Set(head.map((text) => text.getAttribute('y')));
    assert.ok(rows.size >= 6, `${rows.size} rows`);
    for (const text of head) {
      const right =
        Number(text.getAttribute('x')) +
        0.5 * Number(text.getAttribute('font-size')) * text.textContent!.length;
      assert.ok(right < 400, `${text.textContent} ends at ${right}`);
    }
    const top = Math.min(...tickPlaces(svg, 'y').values());
    assert.ok(top > Math.max(...head.map((text) => Number(text.getAttribute('y')))), 'the plot begins below');
  });

  test('a layer that cannot be drawn is refused with its name', () => {
    const line = { kind: 'line', name: 'loss', x: [0, 1], y: [0, 1] } as const;
    throws(() => draw([]), ValueError, /at least one layer, got none/);
    throws(
      () => draw([{ ...line, x: [], y: [] }]),
      ValueError,
      /line "loss": expected at least one finite point .* none of 0/,
    );
    throws(() => draw([{ ...line, y: [Number.NaN, Number.NaN] }]), ValueError, /none of 2/);
    throws(() => draw([{ ...line, y: [0] }]), ShapeError, /arrays of one length, got 2 and 1/);
    throws(
      () => draw([{ kind: 'bars', edges: [0, 1], heights: [1, 2] }]),
      ShapeError,
      /expected 3 edges, got 2/,
    );
    throws(
      () => draw([{ kind: 'lime' as 'line', x: [0], y: [0] }]),
      ValueError,
      /got "lime"\. Did you mean "line"\?/,
    );
    throws(() => draw([{ ...line, color: 'red' }]), ValueError, /colour #rrggbb, got "red"/);
    throws(() => draw([{ kind: 'rule' }]), ValueError, /either x or y/);
    throws(() => draw([{ kind: 'rule', x: Number.NaN }]), ValueError, /finite value on the scale, got NaN/);
    const scale = 'lob' as 'log';
    throws(
      () => draw([line], { y: { label: 'y', scale } }),
      ValueError,
      /y scale linear or log, got "lob".*"log"/,
    );
    throws(
      () => draw([line], { x: { label: 'x', domain: [1, 1] } }),
      ValueError,
      /rising x domain .* got 1 to 1/,
    );
    throws(() => draw([line], { width: 20 }), ValueError, /width of 200 to 10000 pixels, got 20/);
    const log = { y: { label: 'y', scale: 'log' as const } };
    throws(() => draw([{ ...line, y: [0, -1] }], log), ValueError, /finite point on its scales/);
    throws(
      () => draw([{ kind: 'bars', edges: [0, 1], heights: [1] }], log),
      ValueError,
      /linear y scale, got log/,
    );
  });
});

suite('histogram', (test) => {
  test('counts become a density, with the last edge included', () => {
    const { edges, heights } = histogram([0, 0.5, 1, 1.5, 2, 2, 3, 4], { bins: 4 });
    assert.equal([...edges], [0, 1, 2, 3, 4]);
    assert.equal(
      [...heights].map((h) => h * 8),
      [2, 2, 2, 2],
    );
  });

  test('samples outside the domain make the bars lower, because they count as samples', () => {
    const { heights } = histogram([0.1, 0.2, 0.6, 5], { bins: 2, domain: [0, 1] });
    assert.equal([...heights], [1, 0.5]);
  });

  test('one value alone has a bin around it, and bins grow with the cube root of the count', () => {
    const { edges } = histogram([3, 3]);
    assert.equal([edges[0], edges[edges.length - 1]], [2.5, 3.5]);
    assert.is(histogram(range(8000)).heights.length, 40);
  });

  test('values that are not samples are refused', () => {
    throws(() => histogram([]), ValueError, /at least one sample, got none/);
    throws(() => histogram([1, Number.NaN]), ValueError, /finite samples, got NaN at 1/);
    throws(() => histogram([1], { bins: 0.5 }), ValueError, /at least 1 bin, got 0.5/);
    throws(() => histogram([1], { domain: [2, 1] }), ValueError, /rising domain, got 2 to 1/);
  });
});
