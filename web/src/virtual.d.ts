declare module "virtual:countries" {
  import type { Shapes } from "../build/countries";

  const shapes: Shapes;
  export default shapes;
}
