import { useEffect } from "react";
import { signIn } from "../api/actions";
import { Problem } from "../api/request";
import { useSignedIn } from "../frame/SignIn";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";
import { takeLink } from "./link";
import { tell } from "./notices";

// Before anything is drawn: a failed exchange must not leave the token in the address either.
const { link, rest } = takeLink(new URL(location.href));
if (link !== null) history.replaceState(history.state, "", rest);
let waiting = link;

/** Exchanges the link that `airledger up` prints for a signed-in session. */
export function useLinkSignIn(): void {
  const signedIn = useSignedIn();
  useEffect(() => {
    if (waiting === null) return;
    const token = waiting;
    waiting = null;
    signIn({ link: token })
      .then(async (account) => {
        await signedIn();
        if (account !== null) tell(texts.sign.done(account.name ?? account.email));
      })
      .catch((error: unknown) => {
        const used = error instanceof Problem && error.status >= 400 && error.status < 500;
        tell(used ? texts.sign.linkUsed : shortTrouble(error), true);
      });
  }, [signedIn]);
}
