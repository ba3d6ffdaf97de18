export interface PictureScene {
  source_size: [number, number];
  input_size: [number, number];
  grid: [number, number];
  patch_size: number;
  short_side: number;
  layers: number;
  heads: number;
  registers: number;
  dim: number;
  note: string;
}
