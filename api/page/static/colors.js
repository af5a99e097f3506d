/** Colours of arms: told apart by people who see colours otherwise, on light and on dark (after Okabe and Ito, 2008). */

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b3568f", "#8a6d00", "#3a8fc4", "#7a4fbf", "#5b5b5b", "#a3333d", "#2f7d32"];
const DARK = ["#56b4e9", "#ff9152", "#2fd0a0", "#e79cc8", "#e6c74a", "#8ecbf0", "#b79cf2", "#b8b8b8", "#f08a92", "#86cf8a"];

export const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

/** Return the colour of the arm at an index. */
export const colorOf = (index) => (isDark() ? DARK : LIGHT)[index % LIGHT.length];

/** Return the dash of its line: more arms than colours differ by it. */
export const dashOf = (index) => [[], [6, 3], [2, 2], [8, 3, 2, 3]][Math.floor(index / LIGHT.length) % 4];
