/* What the page uses of Plotly, and the charts that the server sends (app/routes/figures.py). */

/** A curve or a set of bars. What only Plotly reads is not named here. */
export interface Trace {
  x: (number | string)[];
  y: (number | null)[];
  /** of a matrix: rows of cells */
  z?: number[][];
  name?: string;
  meta?: { field?: string; scale?: number; part?: string };
}

/** What Plotly has no word for, in `layout.meta`. */
export interface ChartMeta {
  title: string;
  note: string;
  /** what x counts */
  axis: string;
  /** charts with the same word share one cursor and one range of x */
  cursor: string;
  /** whether heights may be turned to logarithms */
  log: boolean;
}

export interface Axis {
  type?: string;
  range?: [number, number];
  autorange?: boolean;
}

export interface Layout {
  meta: ChartMeta;
  xaxis?: Axis;
  yaxis?: Axis;
  shapes?: object[];
  template?: { layout?: { colorway?: string[] } };
}

export interface Chart {
  data: Trace[];
  layout: Layout;
}

/** Charts by their names, in reading order. */
export type Charts = Record<string, Chart>;

export interface HoverEvent {
  xvals?: (number | string)[];
  /** a cell is [row, column] */
  points: { x: number | string; pointNumber: number | number[]; curveNumber: number }[];
}

/** An element that Plotly has drawn in. */
export interface PlotElement extends HTMLElement {
  data: Trace[];
  layout: Layout;
  on(name: "plotly_hover" | "plotly_click", listener: (event: HoverEvent) => void): void;
  on(name: "plotly_unhover", listener: () => void): void;
  on(name: "plotly_relayout", listener: (change: Record<string, unknown>) => void): void;
}

export interface ModeBarButton {
  name: string;
  title: string;
  icon: { width: number; height: number; path: string };
  click: (element: PlotElement) => unknown;
}

export interface Config {
  displaylogo: boolean;
  displayModeBar: "hover" | boolean;
  modeBarButtons: (string | ModeBarButton)[][];
  responsive?: boolean;
}

export interface ImageOptions {
  format: "png" | "svg";
  width: number;
  height: number;
  scale?: number;
}

export interface Plotly {
  react(element: HTMLElement, data: Trace[], layout: Layout, config: Config): Promise<PlotElement>;
  relayout(element: HTMLElement, change: Record<string, unknown>): Promise<PlotElement>;
  /** what its arrays have got since */
  redraw(element: HTMLElement): Promise<PlotElement>;
  toImage(chart: object, options: ImageOptions): Promise<string>;
  Plots: { resize(element: HTMLElement): Promise<void> };
  Fx: {
    hover(
      element: HTMLElement,
      at: { xval: number | string } | { curveNumber: number; pointNumber: number[] }[],
      subplot?: string,
      silent?: boolean,
    ): void;
    unhover(element: HTMLElement): void;
  };
}

declare global {
  // eslint-disable-next-line no-var
  var Plotly: Plotly | undefined;
}
