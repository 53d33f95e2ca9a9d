package io.sippbx.control.offer;

import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.RtpMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Codecs in the order in which we want them used ({@code media.codec_priority}).
 *
 * @param names encoding names in lower case, the best first; others stand after them as they came
 */
public record CodecPriority(List<String> names) {

  /** Formats stay in the order in which they came. */
  public static final CodecPriority NONE = new CodecPriority(List.of());

  /** Copies {@code names}, in lower case. */
  public CodecPriority {
    names = names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
  }

  /**
   * The line with its formats in our order: none is lost, none added. What is no codec of the list
   * (telephone-event, comfort noise, retransmission) keeps its order behind.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-5.1">RFC 3264 5.1</a>
   */
  MediaDescription apply(MediaDescription media) {
    if (names.isEmpty() || !media.isActive() || !media.isRtp()) {
      return media;
    }
    var ordered = new ArrayList<String>(media.formats().size());
    var rest = new ArrayList<>(media.formats());
    for (String name : names) {
      for (var formats = rest.iterator(); formats.hasNext(); ) {
        String format = formats.next();
        if (name.equals(Codecs.map(media, format).map(RtpMap::codecName).orElse(""))) {
          ordered.add(format);
          formats.remove();
        }
      }
    }
    ordered.addAll(rest);
    return media.withFormats(ordered);
  }
}
