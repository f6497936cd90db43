// Elements and colours that the explorer's pictures share; plot_scale.js stands above, a picture below.
const STOPS = ["#f4f8fb", "#9ccbe6", "#2c8cc4", "#0b4f86", "#06274a"].map(hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));

// Pale to dark: it reads without colour, too.
function ramp(share) {
  const at = clamp(share, 0, 1) * (STOPS.length - 1), left = Math.min(STOPS.length - 2, Math.floor(at)), rest = at - left;
  return `rgb(${STOPS[left].map((some, i) => Math.round(some + (STOPS[left + 1][i] - some) * rest)).join(",")})`;
}

const RAMP = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join(",")})`;

function made(parent, name, className, attributes = {}) {
  const element = parent.appendChild(document.createElement(name));
  element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function drawn(parent, name, attributes = {}, text = "") {
  const element = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}
