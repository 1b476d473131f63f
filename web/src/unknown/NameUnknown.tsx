import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ignoreUnknown, nameUnknown } from "../api/actions";
import type { Recording, UnknownDetail } from "../api/types";
import { tell } from "../app/notices";
import { songLine } from "../frame/joined";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";
import { classes, classOf, type Described, nameOf } from "./naming";
import { Suggestions } from "./Suggestions";

const t = texts.unknown;
const longest = { text: 500, isrc: 40 };

/** Says what it is: a recording of the library, or a new one. One that has a name keeps the form folded. */
export function NameUnknown({ unknown }: { unknown: UnknownDetail }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState<Described>({
    title: "",
    artist: "",
    isrc: "",
    recordingClass: classOf(unknown.suggested_class),
  });
  const [picked, setPicked] = useState<Recording | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<Described>) => setTyped({ ...typed, ...change });

  async function act(action: () => Promise<string>): Promise<void> {
    setBusy(true);
    setTrouble(null);
    try {
      tell(await action());
      for (const key of ["unknowns", "unknown", "recordings", "plays"]) {
        void client.invalidateQueries({ queryKey: [key] });
      }
    } catch (error) {
      setTrouble(shortTrouble(error));
    } finally {
      setBusy(false);
    }
  }

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => t.named((await nameUnknown(unknown.id, nameOf(typed, picked)))?.plays ?? 0));
  };
  const ignore = () =>
    void act(async () => {
      await ignoreUnknown(unknown.id);
      return t.ignored;
    });

  return (
    <details className="section" open={unknown.state !== "named"}>
      <summary className="link">{unknown.state === "named" ? t.rename : t.name}</summary>
      <form className="form" onSubmit={submit}>
        {picked === null ? (
          <Fields typed={typed} set={set} pick={setPicked} />
        ) : (
          <p>
            <span className="quiet">{t.picked}:</span> {songLine(picked)}{" "}
            <button type="button" className="link" onClick={() => setPicked(null)}>
              {t.unpick}
            </button>
          </p>
        )}
        {trouble !== null && (
          <p className="form-trouble" role="alert">
            {trouble}
          </p>
        )}
        <div className="form-actions">
          {unknown.state === "new" && (
            <button type="button" className="button" disabled={busy} onClick={ignore}>
              {t.ignore}
            </button>
          )}
          <button type="submit" className="button primary" disabled={busy}>
            {t.nameDo}
          </button>
        </div>
      </form>
    </details>
  );
}

type FieldsProps = { typed: Described; set: (change: Partial<Described>) => void; pick: (one: Recording) => void };

function Fields({ typed, set, pick }: FieldsProps) {
  return (
    <>
      <label>
        <span>{t.nameTitle}</span>
        <input
          required
          maxLength={longest.text}
          autoComplete="off"
          value={typed.title}
          onChange={(event) => set({ title: event.target.value })}
        />
      </label>
      <Suggestions typed={typed.title} pick={pick} />
      <label>
        <span>{t.nameArtist}</span>
        <input
          maxLength={longest.text}
          autoComplete="off"
          value={typed.artist}
          onChange={(event) => set({ artist: event.target.value })}
        />
      </label>
      <label>
        <span>{t.nameIsrc}</span>
        <input
          maxLength={longest.isrc}
          autoComplete="off"
          spellCheck={false}
          value={typed.isrc}
          onChange={(event) => set({ isrc: event.target.value })}
        />
      </label>
      <label>
        <span>{t.nameClass}</span>
        <select value={typed.recordingClass} onChange={(event) => set({ recordingClass: classOf(event.target.value) })}>
          {classes.map((one) => (
            <option key={one} value={one}>
              {t.classes[one]}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
