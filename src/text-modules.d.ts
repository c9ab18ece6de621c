// What an imported text file is: the build and the test runner both give its content as a string.

declare module "*.md" {
  const text: string;
  export default text;
}

declare module "*.txt" {
  const text: string;
  export default text;
}
