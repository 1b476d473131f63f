import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  acceptSubmission,
  blockedQuery,
  decideTakedown,
  liftBlock,
  refuseSubmission,
  submissionsQuery,
  takedownsQuery,
} from "../api/desk";
import { meQuery } from "../api/queries";
import { mergesQuery, undoMerge } from "../api/stations";
import type { Account } from "../api/types";
import { may } from "../app/access";
import { Ago } from "../frame/Ago";
import { Fact } from "../frame/Drawer";
import { SignInNotice } from "../frame/SignIn";
import { Switch } from "../frame/Switch";
import { reasonOf } from "../station/SameSound";
import { texts } from "../texts";
import { Desk } from "./Desk";

const t = texts.moderation;
const needed = {
  submissions: "stations:write",
  takedowns: "system:write",
  merges: "system:write",
  blocked: "system:write",
} as const;
type Part = keyof typeof needed;

/** The parts of the room that an account may decide in. */
export const partsOf = (account: Pick<Account, "scopes"> | null | undefined): Part[] =>
  (Object.keys(needed) as Part[]).filter((part) => may(account, needed[part]));

/** What waits for people: streams that were submitted, requests to leave some out, stations joined too hastily. */
export function ModerationRoom() {
  const { data: account } = useQuery(meQuery);
  const parts = partsOf(account);
  const [wanted, setPart] = useState<Part>("submissions");
  const part = parts.includes(wanted) ? wanted : parts[0];
  return (
    <div className="room" data-testid="moderation">
      <div className="room-head">
        <h1>{t.title}</h1>
        {part !== undefined && (
          <Switch label={t.show} value={part} options={parts} word={(one) => t.parts[one] ?? one} pick={setPart} />
        )}
      </div>
      {account === null && <SignInNotice title={t.signIn} hint={t.signInHint} />}
      {account != null && part === undefined && <p className="empty">{texts.trouble.forbidden}</p>}
      {part === "submissions" && <Submissions />}
      {part === "takedowns" && <Takedowns />}
      {part === "merges" && <Merges />}
      {part === "blocked" && <BlockList />}
    </div>
  );
}

function Submissions() {
  return (
    <Desk
      question={submissionsQuery()}
      keyOf={(one) => one.id}
      title={(one) => String(one.fields["name"] ?? one.url)}
      about={(one) => (
        <dl className="facts">
          <Fact name={t.address}>{one.url}</Fact>
          {Object.entries(one.fields).map(([field, value]) => (
            <Fact key={field} name={field}>
              {String(value)}
            </Fact>
          ))}
          <Fact name={t.from}>{one.submitted_by}</Fact>
          <Fact name={t.at}>
            <Ago at={one.created_at} />
          </Fact>
        </dl>
      )}
      acts={[
        { word: t.accept, said: t.accepted, primary: true, act: (one) => acceptSubmission(one.id) },
        { word: t.refuse, said: t.refused, act: (one) => refuseSubmission(one.id, t.refusedBecause) },
      ]}
      empty={t.submissionsEmpty}
    />
  );
}

function Takedowns() {
  return (
    <Desk
      question={takedownsQuery()}
      keyOf={(one) => one.id}
      title={(one) => one.url}
      about={(one) => (
        <>
          <p className="about-text">{one.reason}</p>
          <dl className="facts">
            <Fact name={t.wholeHost}>{one.whole_host && one.host}</Fact>
            <Fact name={t.from}>{one.contact}</Fact>
            <Fact name={t.at}>
              <Ago at={one.at} />
            </Fact>
          </dl>
        </>
      )}
      acts={[
        { word: t.grant, said: t.granted, primary: true, act: (one) => decideTakedown(one.id, true) },
        { word: t.decline, said: t.declined, act: (one) => decideTakedown(one.id, false) },
      ]}
      empty={t.takedownsEmpty}
    />
  );
}

function Merges() {
  return (
    <Desk
      question={mergesQuery()}
      keyOf={(one) => one.id}
      title={(one) => texts.sameSound.joined(one.merged_name, one.kept_name)}
      about={(one) => (
        <>
          <p>{reasonOf(one)}</p>
          <dl className="facts">
            {Object.entries(one.evidence).map(([name, value]) => (
              <Fact key={name} name={name.replaceAll("_", " ")}>
                {typeof value === "object" ? JSON.stringify(value) : String(value)}
              </Fact>
            ))}
            <Fact name={t.from}>{one.by}</Fact>
            <Fact name={t.at}>
              <Ago at={one.at} />
            </Fact>
          </dl>
        </>
      )}
      acts={[{ word: texts.sameSound.undo, said: texts.sameSound.undoneNow, act: (one) => undoMerge(one.id) }]}
      empty={t.mergesEmpty}
    />
  );
}

function BlockList() {
  return (
    <Desk
      question={blockedQuery()}
      keyOf={(one) => one.id}
      title={(one) => one.value}
      about={(one) => (
        <dl className="facts">
          <Fact name={t.why}>{one.reason}</Fact>
          <Fact name={t.from}>{one.by}</Fact>
          <Fact name={t.at}>
            <Ago at={one.since} />
          </Fact>
        </dl>
      )}
      acts={[{ word: t.lift, said: t.lifted, act: (one) => liftBlock(one.id) }]}
      empty={t.blockedEmpty}
    />
  );
}
