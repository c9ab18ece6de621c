// Which files of the base are put over a candidate, to see whether what it changed in them hides something.

export interface BaseVersion {
  readonly path: string;
  readonly kind: "test" | "gate definition";
}
