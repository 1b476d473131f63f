import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef } from "react";

type Props<T> = {
  rows: readonly T[];
  keyOf: (row: T) => string | number;
  heightPx: number;
  label: string;
  head?: ReactNode;
  foot?: ReactNode;
  row: (row: T, index: number) => ReactNode;
  /** Called when the end comes near, so that the next page can be asked for. */
  onEnd?: () => void;
  onScroll?: ((atTop: boolean) => void) | undefined;
  scroller?: RefObject<HTMLDivElement | null> | undefined;
};

const steps: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity,
};

/** A long list of which only the visible rows exist. Arrow keys move between rows, also to rows that do not exist yet. */
export function Rows<T>({ rows, keyOf, heightPx, label, head, foot, row, onEnd, onScroll, scroller }: Props<T>) {
  const own = useRef<HTMLDivElement>(null);
  const box = scroller ?? own;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => heightPx,
    getItemKey: (index) => {
      const item = rows[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (onEnd && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height make all measured positions void
  useEffect(() => virtual.measure(), [virtual, heightPx]);

  function move(event: KeyboardEvent): void {
    const step = steps[event.key];
    const at = Number((event.target as Element).closest<HTMLElement>("[data-index]")?.dataset["index"] ?? Number.NaN);
    if (step === undefined || Number.isNaN(at)) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(rows.length - 1, at + step));
    const target = () => box.current?.querySelector<HTMLElement>(`[data-index="${to}"] [data-row]`);
    // At once where the row exists, so that keys pressed in quick succession each start from the row before.
    target()?.focus({ preventScroll: true });
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => target()?.focus({ preventScroll: true }));
  }

  return (
    <div className="rows" ref={box} onScroll={() => onScroll?.((box.current?.scrollTop ?? 0) < heightPx)}>
      {head}
      {/* biome-ignore lint/a11y/useSemanticElements: a table element cannot hold absolutely placed rows */}
      <div
        className="rows-body"
        role="list"
        aria-label={label}
        onKeyDown={move}
        style={{ blockSize: virtual.getTotalSize() }}
      >
        {items.map((item) => {
          const value = rows[item.index];
          if (value === undefined) return null;
          return (
            // biome-ignore lint/a11y/useSemanticElements: see above
            <div
              key={item.key}
              role="listitem"
              className="rows-item"
              data-index={item.index}
              aria-setsize={rows.length}
              aria-posinset={item.index + 1}
              style={{ blockSize: item.size, transform: `translateY(${item.start}px)` }}
            >
              {row(value, item.index)}
            </div>
          );
        })}
      </div>
      {foot}
    </div>
  );
}
