// Mails in Arabic, read from right to left.
import { said, type Wording } from './wording.rules.js';

const refunded = (refund: string | null) => refund && `سيُعاد إليك مبلغ ${refund} بوسيلة الدفع نفسها.`;
const why: Record<string, string> = {
  requested: 'أُلغي حجزك كما طُلب.',
  organizer: 'ألغى المنظِّم حجزك.',
  event: 'أُلغيت الفعالية، وأُلغي حجزك معها.',
};

export const arabic: Wording = {
  language: 'ar',
  direction: 'rtl',
  greeting: (name) => (name ? `مرحبًا ${name}،` : 'مرحبًا،'),
  footer: 'أرسل Evently هذه الرسالة لأن شيئًا ما تغيّر في حسابك أو حجزك. يُرجى عدم الرد عليها.',
  labels: { event: 'الفعالية', when: 'الموعد', where: 'المكان', tickets: 'التذاكر', total: 'المجموع', booking: 'الحجز' },
  accounts: {
    welcome: ({ until }) => ({
      subject: 'مرحبًا بك في Evently',
      lines: ['حسابك جاهز. يُرجى تأكيد عنوان بريدك الإلكتروني حتى تصل إليك تذاكرك.'],
      action: 'تأكيد البريد الإلكتروني',
      after: [`يعمل الرابط حتى ${until}. إذا لم تنشئ هذا الحساب، فتجاهل هذه الرسالة.`],
    }),
    verifyEmail: ({ until }) => ({
      subject: 'تأكيد عنوان بريدك الإلكتروني',
      lines: ['يُرجى تأكيد أن هذا عنوان بريدك الإلكتروني.'],
      action: 'تأكيد البريد الإلكتروني',
      after: [`يعمل الرابط حتى ${until}. إذا لم تطلبه، فتجاهل هذه الرسالة.`],
    }),
    resetPassword: ({ until }) => ({
      subject: 'اختيار كلمة مرور جديدة',
      lines: ['طُلبت كلمة مرور جديدة لحسابك. إذا كنت أنت من طلبها، فاخترها الآن.'],
      action: 'اختيار كلمة مرور جديدة',
      after: [`يعمل الرابط مرة واحدة حتى ${until}. إذا لم تطلبه، فتجاهل هذه الرسالة: تبقى كلمة مرورك كما هي.`],
    }),
    passwordChanged: () => ({
      subject: 'تم تغيير كلمة مرورك',
      lines: ['تم للتو تغيير كلمة مرور حسابك، وسُجّل خروج جميع الأجهزة الأخرى.'],
      after: ['إذا لم تكن أنت من غيّرها، فاختر كلمة مرور جديدة فورًا وأبلغ الجهة المشغِّلة.'],
    }),
    invitation: ({ organization, until }) => ({
      subject: `دعوة للانضمام إلى ${organization} على Evently`,
      lines: [`تدعوك ${organization} إلى فريقها على Evently.`],
      action: 'قبول الدعوة',
      after: [`يعمل الرابط حتى ${until}. إذا كنت لا تعرف المرسل، فتجاهل هذه الرسالة.`],
    }),
  },
  bookings: {
    tickets: ({ title }) => ({
      subject: `تذاكرك: ${title}`,
      lines: ['تم تأكيد حجزك. تجد تذاكرك مرفقة بصيغة PDF.'],
      action: 'إدارة الحجز',
      after: ['أحضرها مطبوعة أو على هاتفك. يمكن لمن يحمل التذكرة استخدامها مرة واحدة، فشاركها بحذر.'],
    }),
    ticketsAgain: ({ title }) => ({
      subject: `تذاكرك مرة أخرى: ${title}`,
      lines: ['إليك تذاكرك مرة أخرى، مرفقة بصيغة PDF.'],
      action: 'إدارة الحجز',
    }),
    cancelled: ({ title, refund, reason }) => ({
      subject: `أُلغي الحجز: ${title}`,
      lines: said(why[reason ?? ''] ?? 'أُلغي حجزك.', refunded(refund), 'لم تعد التذاكر صالحة.'),
    }),
    reduced: ({ title, refund }) => ({
      subject: `تغيّر حجزك: ${title}`,
      lines: said('أُعيدت بعض تذاكر حجزك ولم تعد صالحة. تبقى التذاكر الأخرى صالحة.', refunded(refund)),
      action: 'إدارة الحجز',
    }),
    ticketReceived: ({ title }) => ({
      subject: `تذكرة لك: ${title}`,
      lines: ['نُقلت إليك تذكرة. تجدها مرفقة بصيغة PDF، وهي لديك وحدك.'],
      after: ['أحضرها مطبوعة أو على هاتفك.'],
    }),
    ticketHandedOver: ({ title }) => ({
      subject: `نُقلت تذكرة: ${title}`,
      lines: ['أصبحت إحدى تذاكر حجزك لشخص آخر، ولم يعد رمزها السابق صالحًا.'],
      action: 'إدارة الحجز',
      after: ['إذا لم تكن هذه رغبتك، فأبلغ المنظِّم فورًا.'],
    }),
    seatsMoved: ({ title }) => ({
      subject: `مقاعد جديدة: ${title}`,
      lines: ['نقل المنظِّم حجزك إلى مقاعد أخرى. يُرجى استخدام التذاكر المرفقة من الآن فصاعدًا.'],
      action: 'إدارة الحجز',
    }),
    lateRefund: ({ title, refund }) => ({
      subject: `وصلت دفعتك متأخرة: ${title}`,
      lines: said('وصلت دفعتك بعد أن أُتيحت أماكنك لغيرك، ولم يبقَ أي مكان. ليس لديك حجز.', refunded(refund)),
    }),
  },
};
