import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Paged } from "../api/queries";
import { type Room, type Selected, useRoute } from "../app/route";
import { useWide } from "./useWide";

export type List<T> = {
  rows: readonly T[];
  /** Nothing has been read yet, for this question or the one before. */
  isPending: boolean;
  error: Error | null;
  hasMore: boolean;
  isReadingMore: boolean;
  wide: boolean;
  selected: Selected;
  /** Asks for the next page where there is one and none is on its way. */
  more: () => void;
  open: (id: NonNullable<Selected>) => void;
  refetch: () => void;
};

/** The state of a room's list: pages as one scrolls, what is selected by the address, and how to select another. */
export function useList<T>(room: Room, question: Paged<T>): List<T> {
  const [route, go] = useRoute();
  const query = useInfiniteQuery({ ...question, placeholderData: keepPreviousData });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data]);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return {
    rows,
    isPending: query.isPending,
    error: query.error,
    hasMore: hasNextPage,
    isReadingMore: isFetchingNextPage,
    wide: useWide(),
    selected: route.id,
    more,
    open: useCallback((id) => go({ room, id }), [go, room]),
    refetch: useCallback(() => void refetch(), [refetch]),
  };
}
