import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { acknowledge, alertsQuery, unacknowledge } from "../api/desk";
import type { Alert } from "../api/types";
import { tell } from "../app/notices";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { joined } from "../frame/joined";
import { ListRoom } from "../frame/ListRoom";
import { causeText, StateShape } from "../frame/StateMark";
import { Switch } from "../frame/Switch";
import { shortTrouble } from "../frame/Trouble";
import { useList } from "../frame/useList";
import { texts } from "../texts";
import { Channels } from "./Channels";

const t = texts.alerts;
const parts = ["open", "over", "channels"] as const;
type Part = (typeof parts)[number];

/** What is wrong, what was, and who is told. */
export function AlertsRoom() {
  const [part, setPart] = useState<Part>("open");
  const choose = (
    <Switch label={t.show} value={part} options={parts} word={(one) => t.parts[one] ?? one} pick={setPart} />
  );
  return part === "channels" ? <Channels beside={choose} /> : <AlertList isOpen={part === "open"} beside={choose} />;
}

function AlertList({ isOpen, beside }: { isOpen: boolean; beside: React.ReactNode }) {
  const list = useList("alerts", alertsQuery(isOpen));
  return (
    <ListRoom
      list={list}
      title={t.title}
      beside={beside}
      empty={isOpen ? t.empty : t.emptyOver}
      emptyHint={isOpen ? t.emptyHint : undefined}
      signIn={t.signIn}
      signInHint={t.signInHint}
      keyOf={(alert) => alert.id}
      heights={{ wide: 52, narrow: 76 }}
      head={null}
      reading={texts.stations.more}
      row={(alert) => <AlertRow alert={alert} />}
    />
  );
}

function AlertRow({ alert }: { alert: Alert }) {
  const [, go] = useRoute();
  const client = useQueryClient();
  const isSeen = alert.ack != null;

  async function toggle(): Promise<void> {
    try {
      await (isSeen ? unacknowledge(alert.id) : acknowledge(alert.id));
      tell(isSeen ? t.unacknowledged : t.acknowledged);
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      await client.invalidateQueries({ queryKey: ["alerts"] });
    }
  }

  return (
    <div className="row alert-row" data-testid="alert-row" title={alert.detail}>
      <StateShape state={alert.closed_at === null ? "failing" : "playing"} />
      <a
        className="row-name"
        data-row=""
        href={`/station/${alert.stream_id}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          go({ room: "station", id: alert.stream_id });
        }}
      >
        <span className="row-title">{alert.name}</span>
        <span className="row-sub">
          {joined([t.kind[alert.kind] ?? alert.kind, alert.cause && causeText(alert.cause), alert.host], " · ")}
        </span>
      </a>
      <span className="cell">
        <Ago at={alert.closed_at ?? alert.opened_at} />
      </span>
      <button
        type="button"
        className="button"
        aria-pressed={isSeen}
        title={alert.ack == null ? undefined : t.seenBy(alert.ack.by)}
        onClick={() => void toggle()}
      >
        {isSeen ? t.seen : t.acknowledge}
      </button>
    </div>
  );
}
