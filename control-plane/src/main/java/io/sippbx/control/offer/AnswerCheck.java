package io.sippbx.control.offer;

import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether an answer fits the offer that we sent, line by line, and what can be used of it.
 *
 * @param lines one for each line of the offer
 * @param extraLines lines of the answer beyond those of the offer
 * @param usable the answer with exactly the offer's lines, and port 0 in each that does not fit
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-6">RFC 3264 6</a>
 */
public record AnswerCheck(List<Line> lines, int extraLines, SessionDescription usable) {

  /** What became of one line of the offer. */
  public enum Line {
    /** In use from now on. */
    ACCEPTED,
    /** Port 0, offered or not. */
    REJECTED,
    /** The answer has fewer lines than the offer. */
    MISSING,
    /** In use, though it was offered with port 0. */
    NOT_OFFERED,
    /** Another media type than the offer's. */
    MEDIA_DIFFERS,
    /** Another transport than the offer's. */
    TRANSPORT_DIFFERS,
    /** None of the formats offered. */
    NO_COMMON_FORMAT,
    /** IPv6 where IPv4 was offered or the other way round; another network; a group; a name. */
    ADDRESS_DIFFERS
  }

  /** What became of the answer. */
  public enum Outcome {
    /** As the RFC wants it, and a line is in use or none was offered. */
    FITS,
    /** As the RFC wants it, and every line is rejected. */
    ALL_REJECTED,
    /** Not as the RFC wants it, and a line can be used. */
    MENDED,
    /** Not as the RFC wants it, and no line can be used: the session has failed. */
    UNUSABLE
  }

  /** Copies {@code lines}. */
  public AnswerCheck {
    lines = List.copyOf(lines);
  }

  /**
   * Holds {@code answer} against {@code offer}.
   *
   * @param offer as it was sent to the one who answers
   */
  public static AnswerCheck of(SessionDescription offer, SessionDescription answer) {
    var lines = new ArrayList<Line>(offer.media().size());
    var media = new ArrayList<MediaDescription>(offer.media().size());
    for (int i = 0; i < offer.media().size(); i++) {
      MediaDescription offered = offer.media().get(i);
      if (i >= answer.media().size()) {
        lines.add(Line.MISSING);
        media.add(offered.rejected());
        continue;
      }
      MediaDescription answered = answer.media().get(i);
      Line line = line(offered, answered);
      lines.add(line);
      media.add(
          switch (line) {
            case ACCEPTED -> answered;
            case REJECTED -> sameKind(offered, answered) ? answered : offered.rejected();
            case MISSING,
                NOT_OFFERED,
                MEDIA_DIFFERS,
                TRANSPORT_DIFFERS,
                NO_COMMON_FORMAT,
                ADDRESS_DIFFERS ->
                offered.rejected();
          });
    }
    int extra = Math.max(0, answer.media().size() - offer.media().size());
    return new AnswerCheck(lines, extra, answer.withMedia(media));
  }

  private static Line line(MediaDescription offered, MediaDescription answered) {
    if (!answered.isActive()) {
      return Line.REJECTED;
    }
    if (!offered.isActive()) {
      return Line.NOT_OFFERED;
    }
    if (!offered.media().equals(answered.media())) {
      return Line.MEDIA_DIFFERS;
    }
    if (!Transports.answers(answered, offered)) {
      return Line.TRANSPORT_DIFFERS;
    }
    if (OfferCheck.problem(answered).isPresent() || otherFamily(offered, answered)) {
      return Line.ADDRESS_DIFFERS;
    }
    // Only for RTP is a format's meaning ours to compare: elsewhere an answer may name others.
    if (offered.isRtp() && !Codecs.intersect(answered, offered)) {
      return Line.NO_COMMON_FORMAT;
    }
    return Line.ACCEPTED;
  }

  private static boolean sameKind(MediaDescription offered, MediaDescription answered) {
    return offered.media().equals(answered.media()) && Transports.answers(answered, offered);
  }

  private static boolean otherFamily(MediaDescription offered, MediaDescription answered) {
    Optional<IpAddress> ours = offered.connection().flatMap(Connection::ip);
    Optional<IpAddress> theirs = answered.connection().flatMap(Connection::ip);
    return ours.isPresent()
        && theirs.isPresent()
        && !theirs.get().isUnspecified()
        && ours.get().isV6() != theirs.get().isV6();
  }

  /** The verdict on the whole. */
  public Outcome outcome() {
    boolean mended = extraLines > 0;
    for (Line line : lines) {
      mended |= line != Line.ACCEPTED && line != Line.REJECTED;
    }
    boolean inUse = lines.contains(Line.ACCEPTED);
    if (mended) {
      return inUse ? Outcome.MENDED : Outcome.UNUSABLE;
    }
    return inUse || lines.isEmpty() ? Outcome.FITS : Outcome.ALL_REJECTED;
  }
}
