import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { signIn } from "../api/actions";
import { meQuery } from "../api/queries";
import { Problem } from "../api/request";
import { tell } from "../app/notices";
import { catalogue } from "../catalogue/useCatalogue";
import { line } from "../live/connect";
import { texts } from "../texts";
import { Modal } from "./Modal";
import { shortTrouble } from "./Trouble";

/** Everything shown may differ for somebody else: read it all again, and listen with the new rights. */
export function useSignedIn(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    line.start();
    await client.fetchQuery({ ...meQuery, staleTime: 0 });
    // What is on air is told to members only, and the catalogue is no query.
    catalogue.forget();
    await client.invalidateQueries();
  };
}

export function SignInForm({ close }: { close: () => void }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const signedIn = useSignedIn();
  const t = texts.sign;

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setTrouble(null);
    try {
      const account = await signIn({ email: String(form.get("email")), password: String(form.get("password")) });
      await signedIn();
      if (account !== null) tell(t.done(account.name ?? account.email));
      close();
    } catch (error) {
      setTrouble(error instanceof Problem && error.status === 401 ? t.wrong : shortTrouble(error));
      setBusy(false);
    }
  }

  return (
    <Modal title={t.title} close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{t.email}</span>
          <input name="email" type="email" autoComplete="username" required maxLength={320} />
        </label>
        <label>
          <span>{t.password}</span>
          <input name="password" type="password" autoComplete="current-password" required maxLength={1024} />
        </label>
        <p className="quiet">{t.hint}</p>
        {trouble !== null && (
          <p className="form-trouble" role="alert">
            {trouble}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {t.do}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** The empty place of a room that needs an account. */
export function SignInNotice({ title, hint }: { title: string; hint: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <p>{hint}</p>
      <button type="button" className="button primary" onClick={() => setOpen(true)}>
        {texts.top.signIn}
      </button>
      {open && <SignInForm close={() => setOpen(false)} />}
    </div>
  );
}
