import { type ReactNode, useEffect, useRef } from "react";
import { texts } from "../texts";
import { Icon } from "./Icon";

type Props = { close: () => void; test?: string; subject: string | number; children: ReactNode };

/** The place at the side (on a phone: a sheet) for the thing selected. Escape closes it. */
export function Drawer({ close, test, subject, children }: Props) {
  const body = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another subject starts at its top
  useEffect(() => {
    body.current?.scrollTo({ top: 0 });
  }, [subject]);
  return (
    <aside className="drawer" aria-label={texts.drawer.label} data-testid={test}>
      <button type="button" className="icon-button drawer-close" aria-label={texts.drawer.close} onClick={close}>
        <Icon name="close" />
      </button>
      <div className="drawer-body" ref={body}>
        {children}
      </div>
    </aside>
  );
}

/** A fact with its name; nothing where there is nothing to say. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === "" || children === false) return null;
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
