import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useState } from "react";
import { signOut } from "../api/actions";
import { meQuery } from "../api/queries";
import { tell } from "../app/notices";
import { switchTheme, useTheme } from "../app/theme";
import { useConnection } from "../live/connect";
import { texts } from "../texts";
import { Icon } from "./Icon";
import { joined } from "./joined";
import { Search } from "./Search";
import { SignInForm } from "./SignIn";
import { StatStrip } from "./StatStrip";
import { shortTrouble } from "./Trouble";

export function TopBar({ search, help }: { search: RefObject<HTMLInputElement | null>; help: () => void }) {
  const theme = useTheme();
  return (
    <header className="top">
      <Search field={search} />
      <StatStrip />
      <div className="top-end">
        <Pulse />
        <button
          type="button"
          className="icon-button"
          aria-label={texts.top.theme}
          title={texts.top.theme}
          onClick={switchTheme}
        >
          <Icon name={theme === "dark" ? "sun" : "moon"} />
        </button>
        <button
          type="button"
          className="icon-button top-help"
          aria-label={texts.top.help}
          title={texts.top.help}
          onClick={help}
        >
          <Icon name="help" />
        </button>
        <Account />
      </div>
    </header>
  );
}

/** Whether what one sees is what is: the state of the event stream. */
function Pulse() {
  const connection = useConnection();
  const hint = connection === "interrupted" ? texts.top.interruptedHint : texts.top.liveHint;
  return (
    <output className="pulse" data-connection={connection} title={hint}>
      <span className="pulse-dot" aria-hidden="true" />
      <span className="pulse-word">{texts.top[connection]}</span>
    </output>
  );
}

function Account() {
  const { data: account, isPending } = useQuery(meQuery);
  const client = useQueryClient();
  const [open, setOpen] = useState(false);

  async function leave(): Promise<void> {
    try {
      await signOut();
      await client.resetQueries();
    } catch (error) {
      tell(shortTrouble(error), true);
    }
  }

  if (isPending) return null;
  if (!account) {
    return (
      <>
        <button type="button" className="button" onClick={() => setOpen(true)}>
          {texts.top.signIn}
        </button>
        {open && <SignInForm close={() => setOpen(false)} />}
      </>
    );
  }
  const about = joined([account.email, account.role, account.organisation], " · ");
  return (
    <details className="menu">
      <summary className="icon-button" aria-label={texts.top.account} title={about}>
        <Icon name="account" />
      </summary>
      <div className="menu-body">
        <p className="menu-name">{account.name ?? account.email}</p>
        <p className="quiet">{about}</p>
        <button type="button" className="button" onClick={() => void leave()}>
          {texts.top.signOut}
        </button>
      </div>
    </details>
  );
}
