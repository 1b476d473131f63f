import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

type Ids = readonly number[];
type Still = {
  ids: Ids;
  fresh: number;
  scroller: RefObject<HTMLDivElement | null>;
  onScroll: (atTop: boolean) => void;
  toTop: () => void;
};

/**
 * Keeps a list as it was while one reads further down: what a crawl adds meanwhile waits, counted, until one is back at
 * the top. Another filter or sort begins at the top.
 */
export function useStill(current: Ids, ...question: [filter: object, sort: object]): Still {
  const [frozen, setFrozen] = useState<Ids | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(current);
  useEffect(() => {
    latest.current = current;
  });
  const toTop = useCallback(() => scroller.current?.scrollTo({ top: 0 }), []);
  useEffect(() => {
    setFrozen(null);
    toTop();
  }, [...question, toTop]);
  const onScroll = useCallback(
    (atTop: boolean) => setFrozen((before) => (atTop ? null : (before ?? latest.current))),
    [],
  );
  const ids = frozen ?? current;
  return { ids, fresh: Math.max(0, current.length - ids.length), scroller, onScroll, toTop };
}
