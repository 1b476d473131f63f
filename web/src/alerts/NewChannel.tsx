import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { alertChoicesQuery, makeChannel } from "../api/desk";
import type { ChannelPlan } from "../api/types";
import { tell } from "../app/notices";
import { Modal } from "../frame/Modal";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

const t = texts.alerts;
const kinds = ["email", "webhook", "operator"] as const;

/** What a form says, as the API wants it; an empty field is left out. */
export function planOf(form: FormData): { plan: ChannelPlan; kinds: string[] } {
  const text = (name: string): string => String(form.get(name) ?? "").trim();
  const [from, to] = [text("quiet_from"), text("quiet_to")];
  const plan: ChannelPlan = {
    kind: kinds.find((kind) => kind === text("kind")) ?? "email",
    name: text("name"),
    addresses: text("addresses")
      .split(/[\s,]+/)
      .filter((address) => address !== ""),
    time_zone: text("time_zone") || "UTC",
    resend_hours: Number(text("resend_hours") || 0),
    ...(from !== "" && to !== "" ? { quiet_from: from, quiet_to: to } : {}),
  };
  return { plan, kinds: form.getAll("kinds").map(String) };
}

export function NewChannel({ close }: { close: () => void }) {
  const { data: choices } = useQuery(alertChoicesQuery);
  const client = useQueryClient();
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const offered = kinds.filter((kind) =>
    kind === "email" ? choices?.has_mail : kind === "operator" ? (choices?.operator_names.length ?? 0) > 0 : true,
  );

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const { plan, kinds: wanted } = planOf(new FormData(event.currentTarget));
    setBusy(true);
    setTrouble(null);
    try {
      const told = await makeChannel(plan, wanted);
      tell(t.added);
      if (told === null) close();
      else setSecret(told);
    } catch (error) {
      setTrouble(shortTrouble(error));
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ["channels"] });
    }
  }

  if (secret !== null) {
    return (
      <Modal title={t.secret} close={close}>
        <p className="quiet">{t.secretHint}</p>
        <code>{secret}</code>
      </Modal>
    );
  }
  return (
    <Modal title={t.addChannel} close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{t.kindName}</span>
          <select name="kind">
            {offered.map((kind) => (
              <option key={kind} value={kind}>
                {t.channelKind[kind] ?? kind}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t.addresses}</span>
          <input name="addresses" required maxLength={4000} spellCheck={false} />
        </label>
        {choices !== undefined && choices.operator_names.length > 0 && (
          <p className="quiet">{t.operatorNames(choices.operator_names.join(", "))}</p>
        )}
        <label>
          <span>{t.channelName}</span>
          <input name="name" maxLength={200} />
        </label>
        <fieldset className="checks-of">
          <legend>{t.about}</legend>
          {choices?.kinds.map((kind) => (
            <label key={kind}>
              <input type="checkbox" name="kinds" value={kind} defaultChecked /> {t.kind[kind] ?? kind}
            </label>
          ))}
        </fieldset>
        <label>
          <span>{t.quietFrom}</span>
          <input name="quiet_from" type="time" />
        </label>
        <label>
          <span>{t.quietTo}</span>
          <input name="quiet_to" type="time" />
        </label>
        <label>
          <span>{t.timeZone}</span>
          <input name="time_zone" defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone} maxLength={64} />
        </label>
        <label>
          <span>{t.resendHours}</span>
          <input name="resend_hours" type="number" min={0} max={168} defaultValue={0} />
        </label>
        {trouble !== null && (
          <p className="form-trouble" role="alert">
            {trouble}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={close}>
            {texts.stations.cancel}
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {t.addDo}
          </button>
        </div>
      </form>
    </Modal>
  );
}
