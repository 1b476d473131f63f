import { useState } from "react";
import { unknownsQuery } from "../api/queries";
import type { UnknownState } from "../api/types";
import { ListRoom } from "../frame/ListRoom";
import { Switch } from "../frame/Switch";
import { useList } from "../frame/useList";
import { texts } from "../texts";
import { UnknownDrawer } from "./UnknownDrawer";
import { UnknownRow } from "./UnknownRow";

const t = texts.unknown;
const states = ["new", "named", "ignored"] as const;
const emptyOf: Record<UnknownState, string> = { new: t.empty, named: t.emptyNamed, ignored: t.emptyIgnored };

/** What was heard more than once and nobody has enrolled, the most frequent first. */
export function UnknownRoom() {
  const [state, setState] = useState<UnknownState>("new");
  const list = useList("unknown", unknownsQuery(state));
  return (
    <>
      <ListRoom
        list={list}
        title={t.title}
        beside={
          <Switch
            label={t.show}
            value={state}
            options={states}
            word={(option) => t.state[option] ?? option}
            pick={setState}
          />
        }
        empty={emptyOf[state]}
        emptyHint={state === "new" ? t.emptyHint : undefined}
        signIn={t.signIn}
        signInHint={t.signInHint}
        keyOf={(unknown) => unknown.id}
        heights={{ wide: 52, narrow: 64 }}
        head={<Head />}
        reading={t.more}
        row={(unknown) => <UnknownRow unknown={unknown} selected={unknown.id === list.selected} open={list.open} />}
      />
      {typeof list.selected === "string" && <UnknownDrawer id={list.selected} />}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head unknown-row" aria-hidden="true">
      <span className="row-name">{t.recording}</span>
      <span className="cell cell-class">{t.class}</span>
      <span className="cell cell-plays">{t.times}</span>
      <span className="cell cell-stations">{t.stations}</span>
      <span className="cell cell-length">{t.length}</span>
      <span className="cell cell-heard">{t.last}</span>
    </div>
  );
}
