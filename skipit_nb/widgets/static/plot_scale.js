// From a value to its height in a plot. Pure functions; layer_plot.js stands below them in one module.
export const EDGE = { left: 50, right: 10, top: 8, bottom: 38 };
const LEAST = -6;  // a log axis has no zero: it ends at 1e-6

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export function short(value) {
  if (!Number.isFinite(value)) return "–";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(+value.toPrecision(3));
}

export function niceStep(span, count) {
  const rough = span / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find(step => step * power >= rough * (1 - 1e-9));
}

// `y` gives the height of a value; `ticks` are [value, label]. `top` is the end of the axis, 0 to find it.
export function vertical(series, scale, top, height) {
  const values = series.flatMap(one => [...one.values, ...(one.high ?? [])]).filter(Number.isFinite);
  const foot = height - EDGE.bottom, inner = foot - EDGE.top, most = top || Math.max(...values, 0) || 1;
  return scale === "log" ? logarithmic(values, most, foot, inner) : linear(most, top, foot, inner);
}

function linear(most, top, foot, inner) {
  const step = niceStep(most, inner / 40), highest = top || step * Math.ceil(most / step - 1e-9);
  const count = Math.floor(highest / step + 1e-9) + 1;
  const ticks = Array.from({ length: count }, (_, i) => [i * step, String(+(i * step).toPrecision(3))]);
  return { y: value => foot - inner * clamp(value / highest, 0, 1), ticks };
}

function logarithmic(values, most, foot, inner) {
  const high = Math.ceil(Math.log10(most) - 1e-9), least = Math.min(most, ...values.filter(value => value > 0));
  const low = clamp(Math.floor(Math.log10(least) + 1e-9), LEAST, high - 1);
  const share = value => clamp((Math.log10(Math.max(value, 1e-12)) - low) / (high - low), 0, 1);
  const label = n => (n < -3 ? `1e${n}` : String(+(10 ** n).toPrecision(1)));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => [10 ** (low + i), label(low + i)]);
  return { y: value => foot - inner * share(value), ticks };
}
