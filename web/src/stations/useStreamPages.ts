import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { type StreamQuestion, streamsQuery } from "../api/queries";
import type { Stream } from "../api/types";
import { catalogue, useCatalogue } from "../catalogue/useCatalogue";

/** Streams that pass a filter, page by page, each as events have made it since it was read. */
export function useStreamPages(question: StreamQuestion) {
  const query = useInfiniteQuery({ ...streamsQuery(question), placeholderData: keepPreviousData });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const { streams, changes } = useCatalogue();
  const read = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data]);
  useEffect(() => catalogue.put(data?.pages.at(-1)?.rows ?? []), [data]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is one object for ever; `changes` tells when it differs
  const rows: readonly Stream[] = useMemo(
    () => read.map((stream) => streams.get(stream.id) ?? stream),
    [read, streams, changes],
  );
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { query, rows, more };
}
