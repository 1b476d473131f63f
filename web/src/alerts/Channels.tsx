import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { channelsQuery, deleteChannel, testChannel } from "../api/desk";
import { meQuery } from "../api/queries";
import type { AlertChannel } from "../api/types";
import { may } from "../app/access";
import { tell } from "../app/notices";
import { Ago } from "../frame/Ago";
import { Icon } from "../frame/Icon";
import { joined } from "../frame/joined";
import { Empty, shortTrouble, Trouble } from "../frame/Trouble";
import { Mark } from "../system/Panel";
import { texts } from "../texts";
import { NewChannel } from "./NewChannel";

const t = texts.alerts;

/** Who is told, and whether that works. */
export function Channels({ beside }: { beside: React.ReactNode }) {
  const query = useQuery(channelsQuery);
  const { data: account } = useQuery(meQuery);
  const [adding, setAdding] = useState(false);
  const writes = may(account, "alerts:write");
  return (
    <div className="room system">
      <div className="room-head">
        <h1>{t.title}</h1>
        {beside}
        {writes && (
          <button type="button" className="button room-add" onClick={() => setAdding(true)}>
            <Icon name="plus" size={18} />
            <span>{t.addChannel}</span>
          </button>
        )}
      </div>
      {query.error !== null ? (
        <Trouble error={query.error} retry={() => void query.refetch()} signIn={t.signIn} signInHint={t.signInHint} />
      ) : query.data?.length === 0 ? (
        <Empty title={t.noChannel}>
          <p>{t.noChannelHint}</p>
        </Empty>
      ) : (
        <div className="panels">
          {query.data?.map((channel) => (
            <ChannelCard key={channel.id} channel={channel} writes={writes} />
          ))}
        </div>
      )}
      {adding && <NewChannel close={() => setAdding(false)} />}
    </div>
  );
}

function ChannelCard({ channel, writes }: { channel: AlertChannel; writes: boolean }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);

  async function act(action: () => Promise<string>): Promise<void> {
    setBusy(true);
    try {
      tell(await action());
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ["channels"] });
    }
  }

  const test = async (): Promise<string> => {
    const message = await testChannel(channel.id);
    return message?.status === "sent" ? t.testSent : t.testFailed(message?.error ?? "");
  };
  const remove = async (): Promise<string> => {
    await deleteChannel(channel.id);
    return t.removed;
  };
  const quiet = channel.quiet_from && channel.quiet_to && t.quiet(channel.quiet_from, channel.quiet_to);
  return (
    <section className="panel" data-testid="channel">
      <header className="panel-head">
        <h2>{channel.name || (t.channelKind[channel.kind] ?? channel.kind)}</h2>
        <Mark good={channel.status === "working"}>{t.status[channel.status] ?? channel.status}</Mark>
      </header>
      <p className="about-text">{channel.addresses.join(", ")}</p>
      <p className="quiet">
        {joined(
          [quiet && `${quiet} (${channel.time_zone})`, channel.resend_hours > 0 && t.resend(channel.resend_hours)],
          " · ",
        )}
      </p>
      {channel.error && <p className="form-trouble">{channel.error}</p>}
      <p className="quiet">
        {t.lastSent} <Ago at={channel.last_sent_at} />
      </p>
      {writes && (
        <div className="drawer-actions">
          <button type="button" className="button" disabled={busy} onClick={() => void act(test)}>
            {t.test}
          </button>
          <button type="button" className="button" disabled={busy} onClick={() => void act(remove)}>
            {t.remove}
          </button>
        </div>
      )}
    </section>
  );
}
