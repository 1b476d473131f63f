import { Icon } from "./Icon";

/** How many rows wait above while one reads further down; a click goes to them. */
export function Fresh({ text, show }: { text: string; show: () => void }) {
  return (
    <button type="button" className="fresh" onClick={show}>
      <Icon name="up" size={16} /> {text}
    </button>
  );
}
