import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { recordingsQuery } from "../api/queries";
import { useRoute } from "../app/route";
import { useFilter } from "../catalogue/useCatalogue";
import { Rows } from "../frame/Rows";
import { Empty, Trouble } from "../frame/Trouble";
import { useWide } from "../frame/useWide";
import { texts } from "../texts";
import { RecordingDrawer } from "./RecordingDrawer";
import { RecordingRow } from "./RecordingRow";

const t = texts.library;

/** The recordings that we know how to recognise. */
export function LibraryRoom() {
  const [route, go] = useRoute();
  const [filter] = useFilter();
  const query = useInfiniteQuery({ ...recordingsQuery(filter.q), placeholderData: keepPreviousData });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const wide = useWide();
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const selected = typeof route.id === "string" ? route.id : null;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = useCallback((id: string) => go({ room: "library", id }), [go]);

  if (query.error !== null) {
    return (
      <div className="room">
        <Trouble error={query.error} retry={() => void query.refetch()} signIn={t.signIn} signInHint={t.signInHint} />
      </div>
    );
  }
  return (
    <>
      <div className="room">
        <div className="room-head">
          <h1>{t.title}</h1>
          {rows.length > 0 && <p className="quiet figures">{t.shown(rows.length, hasNextPage)}</p>}
        </div>
        {rows.length === 0 && !query.isPending ? (
          <Empty title={filter.q === "" ? t.empty : t.noMatch}>{filter.q === "" && <p>{t.emptyHint}</p>}</Empty>
        ) : (
          <Rows
            rows={rows}
            keyOf={(recording) => recording.id}
            heightPx={wide ? 52 : 64}
            label={t.title}
            head={<Head />}
            onEnd={more}
            row={(recording) => <RecordingRow recording={recording} selected={recording.id === route.id} open={open} />}
          />
        )}
      </div>
      {selected !== null && (
        <RecordingDrawer id={selected} known={rows.find((recording) => recording.id === selected) ?? null} />
      )}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head recording-row" aria-hidden="true">
      <span className="row-name">{t.song}</span>
      <span className="cell cell-album">{t.album}</span>
      <span className="cell cell-class">{t.class}</span>
      <span className="cell cell-length">{t.length}</span>
      <span className="cell cell-plays">{t.plays}</span>
    </div>
  );
}
