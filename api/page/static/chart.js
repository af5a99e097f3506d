/** Interactive charts by Bokeh, whose files come out of an installed package and are loaded when a chart is shown. */

import { isDark } from "/page/colors.js";

let loading;

const script = (src) => new Promise((done, failed) => {
  const element = document.createElement("script");
  Object.assign(element, { src, onload: done, onerror: () => failed(new Error("The library of charts cannot be loaded.")) });
  document.head.append(element);
});

/** Return Bokeh, loaded once. */
export function library() {
  loading ??= script("/page/lib/bokeh.min.js").then(() => script("/page/lib/bokeh-api.min.js")).then(() => window.Bokeh);
  return loading;
}

const TOOLS = "pan,box_zoom,wheel_zoom,undo,redo,reset,save";

/** Return an empty figure with axes of these names and scales ("linear" or "log"), as wide as its place. */
export async function figure({ x, y, xScale = "linear", yScale = "linear", height = 380, tooltips = null }) {
  const Bokeh = await library();
  const made = Bokeh.Plotting.figure({
    tools: TOOLS, active_drag: "box_zoom", height, sizing_mode: "stretch_width", output_backend: "canvas",
    x_axis_label: x, y_axis_label: y, x_axis_type: xScale, y_axis_type: yScale, toolbar_location: "above",
  });
  if (tooltips) made.add_tools(new Bokeh.HoverTool({ tooltips, mode: "mouse", line_policy: "nearest" }));
  made.toolbar.logo = null;
  paint(made);
  return made;
}

/** Give a figure the colours of the page. */
export function paint(made) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  made.background_fill_color = made.border_fill_color = style.getPropertyValue("--paper").trim();
  made.outline_line_color = line;
  for (const axis of [...made.xaxis, ...made.yaxis]) {
    for (const name of ["axis_label_text_color", "major_label_text_color", "axis_line_color", "major_tick_line_color"]) axis[name] = ink;
    axis.minor_tick_line_color = line;
    axis.axis_label_text_font_style = "normal";
  }
  for (const grid of [...made.xgrid, ...made.ygrid]) grid.grid_line_color = line;
  made.elements?.forEach?.((one) => (one.stylesheets = isDark() ? [":host { color-scheme: dark }"] : []));
}

/** Show a figure in an element; what was there before is let go. Returns what `release` takes. */
export async function place(made, element) {
  const Bokeh = await library();
  element.replaceChildren();
  return Bokeh.Plotting.show(made, element);
}

/** Let go of what `place` returned: its listeners and memory. */
export const release = (view) => view?.remove?.();
