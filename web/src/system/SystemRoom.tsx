import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/queries";
import { SignInNotice } from "../frame/SignIn";
import { texts } from "../texts";
import { Processes } from "./Processes";
import { Queues } from "./Queues";
import { Schedules } from "./Schedules";
import { Sessions } from "./Sessions";

/** What runs, what waits, and what is being listened to. */
export function SystemRoom() {
  const { data: account } = useQuery(meQuery);
  return (
    <div className="room system">
      <div className="room-head">
        <h1>{texts.system.title}</h1>
      </div>
      {account === null ? (
        <SignInNotice title={texts.system.signIn} hint={texts.system.signInHint} />
      ) : (
        <div className="panels">
          <Processes />
          <Queues />
          <Schedules />
          <Sessions />
        </div>
      )}
    </div>
  );
}
