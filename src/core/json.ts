// JSON values as plain data: what may be journalled, and what a PRD may carry through unread.

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}
