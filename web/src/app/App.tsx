import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { AlertsRoom } from "../alerts/AlertsRoom";
import { catalogue } from "../catalogue/useCatalogue";
import { Help } from "../frame/Help";
import { Notices } from "../frame/Notices";
import { Rail } from "../frame/Rail";
import { TopBar } from "../frame/TopBar";
import { Wall } from "../frame/Trouble";
import { LibraryRoom } from "../library/LibraryRoom";
import { connect } from "../live/connect";
import { ModerationRoom } from "../moderation/ModerationRoom";
import { Player } from "../player/Player";
import { step } from "../player/step";
import { tuner } from "../player/useTuner";
import { PlaysRoom } from "../plays/PlaysRoom";
import { ReviewRoom } from "../review/ReviewRoom";
import { StationDrawer } from "../stations/StationDrawer";
import { StationsRoom } from "../stations/StationsRoom";
import { SystemRoom } from "../system/SystemRoom";
import { TakedownPage } from "../takedown/TakedownPage";
import { texts } from "../texts";
import { UnknownRoom } from "../unknown/UnknownRoom";
import { useKeys } from "./keyboard";
import { type Room, type Route, sharesFilter, useRoute } from "./route";
import { useLinkSignIn } from "./useLinkSignIn";

const GlobeRoom = lazy(() => import("../globe/GlobeRoom"));
const StationPage = lazy(() => import("../station/StationPage"));

export function App() {
  const [route, go] = useRoute();
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  useLinkSignIn();

  useEffect(() => connect(client), [client]);

  useEffect(() => {
    document.title = route.room === "globe" ? texts.meta.name : `${texts.rail[route.room]} · ${texts.meta.name}`;
  }, [route.room]);

  const to = (room: Room) => () => go({ room, id: null });
  const leave = () => {
    if (route.id !== null) go({ room: route.room, id: null });
  };
  const streamId = sharesFilter(route.room) && typeof route.id === "number" ? route.id : null;
  const selected = streamId === null ? null : catalogue.read().streams.get(streamId);
  useKeys({
    "/": () => search.current?.focus(),
    " ": () => tuner.toggle(tuner.read().stream ?? selected ?? null),
    "[": () => void step(-1),
    "]": () => void step(1),
    "?": () => setHelp(true),
    Escape: leave,
    a: to("alerts"),
    d: to("moderation"),
    g: to("globe"),
    l: to("library"),
    m: () => tuner.mute(!tuner.read().muted),
    p: to("plays"),
    r: to("review"),
    s: to("stations"),
    u: to("unknown"),
    y: to("system"),
  });

  return (
    <div className="frame" data-room={route.room}>
      <Rail />
      <TopBar search={search} help={() => setHelp(true)} />
      <main className="content">
        <Wall key={route.room}>
          <CurrentRoom route={route} />
        </Wall>
        {streamId !== null && (
          <Wall key={streamId}>
            <StationDrawer id={streamId} />
          </Wall>
        )}
      </main>
      <Player />
      <Notices />
      {help && <Help close={() => setHelp(false)} />}
    </div>
  );
}

/** The room that the address names. */
function CurrentRoom({ route }: { route: Route }) {
  return (
    <>
      {route.room === "globe" && (
        <Suspense fallback={<div className="globe-room" />}>
          <GlobeRoom />
        </Suspense>
      )}
      {route.room === "station" && typeof route.id === "number" && (
        <Suspense fallback={<div className="room" />}>
          <StationPage id={route.id} />
        </Suspense>
      )}
      {route.room === "stations" && <StationsRoom />}
      {route.room === "plays" && <PlaysRoom />}
      {route.room === "library" && <LibraryRoom />}
      {route.room === "review" && <ReviewRoom />}
      {route.room === "unknown" && <UnknownRoom />}
      {route.room === "moderation" && <ModerationRoom />}
      {route.room === "alerts" && <AlertsRoom />}
      {route.room === "takedown" && <TakedownPage />}
      {route.room === "system" && <SystemRoom />}
    </>
  );
}
