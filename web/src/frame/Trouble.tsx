import { Component, type ReactNode } from "react";
import { Problem } from "../api/request";
import { texts } from "../texts";
import { SignInNotice } from "./SignIn";

function words(error: Error): [string, string] {
  const t = texts.trouble;
  if (!(error instanceof Problem)) return [t.other, error.message];
  if (error.status === 0) return [t.unreachable, t.unreachableHint];
  if (error.status === 403) return [t.forbidden, t.forbiddenHint];
  if (error.status === 429) return [t.tooMany, t.tooManyHint];
  return [error.title || t.other, error.message];
}

export const shortTrouble = (error: unknown): string =>
  error instanceof Error
    ? words(error)
        .filter((part) => part !== "")
        .join(" ")
    : texts.trouble.other;

type Props = {
  error: Error;
  retry?: () => void;
  signIn?: string | undefined;
  signInHint?: string | undefined;
};

/** What happened and what one can do. */
export function Trouble({ error, retry, signIn, signInHint }: Props) {
  if (error instanceof Problem && error.status === 401) {
    return <SignInNotice title={signIn ?? texts.trouble.forbidden} hint={signInHint ?? ""} />;
  }
  const [title, hint] = words(error);
  return (
    <div className="empty" role="alert">
      <p className="empty-title">{title}</p>
      {hint !== title && <p>{hint}</p>}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          {texts.trouble.retry}
        </button>
      )}
    </div>
  );
}

/** In the place of something that is being read, is not there, or could not be read. */
export function Absent({ error, retry }: { error: Error | null; retry: () => void }) {
  if (error === null) return <Empty title={texts.drawer.loading} />;
  if (error instanceof Problem && (error.status === 404 || error.status === 422))
    return <Empty title={texts.drawer.gone} />;
  return <Trouble error={error} retry={retry} signIn={texts.plays.signIn} signInHint={texts.plays.signInHint} />;
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Keeps a failure of one room in that room: the player and the rail go on. */
export class Wall extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="empty" role="alert">
        <p className="empty-title">{texts.trouble.broken}</p>
        <p>{this.state.error.message}</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          {texts.trouble.reload}
        </button>
      </div>
    );
  }
}
